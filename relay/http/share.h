#pragma once

#include <string>
#include <utility>

namespace tillsyn::http {

// How much depends on a job, the most first. Under overload the last are refused first.
enum class Urgency {
  kOwn,   // the relay's own: alarms, webhooks, copies, health; there are ever only a few
  kView,  // views under way, and their answers
  kHub,   // hubs' polls and reports
  kAct,   // what staff sign, acknowledge and change
  kList,  // what staff read
};

// Whose a job is, and how urgent. A constructor, no aggregate: GCC 12 destroys aggregate temporaries of a coroutine
// twice.
struct Share {
  Share() = default;  // the relay's own
  Share(Urgency how, std::string of_provider, std::string of_caller)
      : urgency(how), provider(std::move(of_provider)), caller(std::move(of_caller)) {}

  Urgency urgency = Urgency::kOwn;
  std::string provider;  // empty: of a stranger, who has shown nothing that a provider has given out
  std::string caller;    // the hub, the token or, of strangers, the peer address; in the relay's memory only
};

}  // namespace tillsyn::http
