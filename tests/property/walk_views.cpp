// Who asks to look, and what they are answered.
#include <functional>

#include "tests/property/walk.h"

namespace tillsyn::property {
namespace {

using fakes::Staff;
using gate_test::must;

std::string name_of(const orders::Hash& hash) { return to_base64url(hash); }

}  // namespace

Walk::Asked Walk::view(const Staff& viewer, const Json& status, const std::function<void(orders::View&)>& change) {
  refresh();
  const auto challenge = must(from_base64url_exact<32>(status.at("challenge").get<std::string>()));
  const auto head = must(from_base64url_exact<32>(status.at("head").get<std::string>()));
  gate_test::Browser browser;
  auto body = maker_.view(home_, browser.key.public_key(), challenge, head);
  body.bundle.counter = naive_.bundle->counter;
  if (change) change(body);
  auto payload = maker_.payload(std::move(body), {&viewer});
  payload.common.id = fakes::random_id("view " + std::to_string(made_++));
  Asked asked{maker_.order(payload, {&viewer}), 0, format_instant(maker_.now)};
  asked.seq = log_.enter(asked.order);
  if (&viewer == &staff("olle") && !change) waiting_.insert_or_assign(name_of(asked.order.hash), std::move(browser));
  return asked;
}

void Walk::offer(const Asked& asked, const Json& status) {
  const auto& seen = status.at("ledger");
  const orders::LogPoint point{seen.at("size").get<std::uint64_t>(),
                               must(from_base64url_exact<32>(seen.at("root").get<std::string>()))};
  Json offer = log_.offer(asked.order, asked.seq, point);
  offer["time"] = asked.time;
  hub_->send(ipc::MessageType::kOffer, offer.dump());
  hub_->turn();
  take_answers();
}

void Walk::take_answers() {
  for (const auto& answer : hub_->answers()) {
    ++(answer.open ? tally_.opened : tally_.refused);
    if (answer.open)
      opened(answer);
    else
      closed_[name_of(answer.order)] = *answer.reason;
  }
}

void Walk::opened(const orders::Answer& answer) {
  const auto asked = waiting_.find(name_of(answer.order));
  if (asked == waiting_.end()) throw Broken("opened to somebody who may not look, or twice");
  if (const auto reason = naive_.closed_to_operator(now()); !reason.empty()) throw Broken("opened: " + reason);
  asked->second.take(answer);
  viewers_.insert_or_assign(to_base64url(answer.open->stream), std::move(asked->second));
  waiting_.erase(asked);
}

// Who may look is shown something at once.
void Walk::ask() {
  const Json status = hub_->poll();
  const bool works = hub_->fuse == Hub::Fuse::kLights && !hub_->lens->fails && waiting_.empty();
  const bool must_open = works && hub_->lens->open.size() < 3 && naive_.closed_to_operator(now()).empty();
  const auto asked = view(staff("olle"), status);
  const auto name = name_of(asked.order.hash);
  offer(asked, status);
  if (!waiting_.contains(name)) return asked_.push_back(asked);
  if (must_open)
    throw Broken("not shown what must be shown: " + closed_[name] + ", " + std::to_string(hub_->lens->open.size()) +
                 " shown, link " + (hub_->is_linked() ? "there" : "gone"));
  if (closed_.contains(name)) waiting_.erase(name);
}

void Walk::ask_badly() {
  const Json status = hub_->poll();
  const int kind = upto(6);
  const auto changed = [&](const std::function<void(orders::View&)>& change) {
    return view(staff("olle"), status, change);
  };
  if (kind == 0) offer(view(staff("pia"), status), status);
  if (kind == 1) offer(changed([](auto& body) { body.challenge = fakes::bytes32("made up"); }), status);
  if (kind == 2) offer(changed([](auto& body) { body.head = fakes::bytes32("another head"); }), status);
  if (kind == 3) offer(changed([](auto& body) { body.hub = to_base64url(fakes::bytes32("hub")); }), status);
  if (kind == 4) offer(changed([](auto& body) { body.resident = fakes::random_id("other"); }), status);
  if (kind != 5) return;
  auto unentered = changed([](auto&) {});
  unentered.seq -= std::min<std::uint64_t>(unentered.seq, 1);
  if (unentered.seq + 1 < log_.tree.size()) offer(unentered, status);
}

// What was good once is not good twice.
void Walk::ask_again() {
  if (asked_.empty()) return;
  const auto newest = static_cast<int>(asked_.size()) - 1;
  const auto& before = asked_[static_cast<std::size_t>(chance(60) ? newest : upto(newest + 1))];
  offer(before, hub_->poll());
}

void Walk::live() {
  for (auto& [stream, browser] : viewers_)
    if (!silent_.contains(stream)) hub_->send(ipc::MessageType::kLife, browser.life());
}

}  // namespace tillsyn::property
