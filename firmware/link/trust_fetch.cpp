#include "firmware/link/trust_fetch.h"

#include "firmware/link/delivery.h"

namespace tillsyn::link {

void TrustFetch::fetch(const Relay& relay, TlsCheck tls, std::function<void(Result<void>)> done) {
  http_.cancel(ticket_);
  Request request;
  request.relay = relay;
  request.path = "/hub/v1/trust";
  request.tls = tls;
  ticket_ = http_.send(request, [this, done = std::move(done)](const Result<Reply>& reply) {
    ticket_ = 0;
    const auto json = read_reply(reply);
    if (!json) return done(json.error());
    for (const ToGate& message : read_delivery(*json).messages) {
      const bool is_trust = message.type == ipc::MessageType::kRootList || message.type == ipc::MessageType::kBundle;
      if (is_trust) gate_.say(message.type, message.body);
    }
    done({});
  });
}

}  // namespace tillsyn::link
