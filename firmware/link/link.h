#pragma once

#include <memory>
#include <string>
#include <vector>

#include "firmware/link/config.h"
#include "firmware/link/control.h"
#include "firmware/link/enrolment.h"
#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"
#include "firmware/link/outbox.h"
#include "firmware/link/poller.h"
#include "firmware/link/relays.h"
#include "firmware/link/reporter.h"
#include "firmware/link/streams.h"

namespace tillsyn::link {

// The program: one loop that carries between gate, relay and command line. It holds nothing that is worth anything to
// others: what it carries is signed or encrypted, and its own key opens a connection and nothing more.
// Threads: thread-bound.
class Link : private GateListener {
 public:
  // Reads or makes the link key and binds the control socket; after this no file outside the state directory is needed
  // but those of the system's name service and CAs.
  static Result<std::unique_ptr<Link>> make(const Config& config);

  // Runs until `stop` is readable.
  void run(int stop);

 private:
  Link(const Config& config, const LinkKey& key);

  void gate_is_up() override;
  void gate_is_down() override;
  void gate_said(const ipc::Message& message) override;

  void tick(TimePoint now);
  void wait(int stop);
  void take_relays(std::string_view text);
  void take_for_relay(const ipc::Message& message);
  void control(const ControlRequest& request, const Control::Answer& answer);
  void ask_gate(bool try_light, const Control::Answer& answer);
  void answer_checks(const Json& check);
  Json status() const;

  Http http_;
  GateSession gate_;
  RelayChoice relays_;
  Outbox outbox_;
  Streams streams_;
  Poller poller_;
  Reporter reporter_;
  Enrolment enrolment_;
  std::optional<Control> control_;
  std::vector<Control::Answer> checks_;  // who waits for gate's word on itself
  TimePoint checks_end_{};
  bool gate_changed_ = false;
  bool stopping_ = false;
};

}  // namespace tillsyn::link
