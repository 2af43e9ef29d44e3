#include "firmware/gate/order_desk.h"

#include <algorithm>

#include "firmware/gate/refusals.h"

namespace tillsyn::gate {
namespace {

using orders::Verdict;

const orders::OrderBook& empty_book() {
  static const orders::OrderBook book;
  return book;
}

template <typename... Types>
bool is_any(const orders::Body& body) {
  return (std::holds_alternative<Types>(body) || ...);
}

void append(std::vector<Document>& out, std::vector<Document> more) {
  std::ranges::move(more, std::back_inserter(out));
}

}  // namespace

Result<void> OrderDesk::load() {
  TILLSYN_TRY(payloads, parts_.store.standing_payloads());
  for (const auto& text : payloads) {
    auto payload = orders::parse_payload(text);
    if (!payload) return Error{Code::kIo, "store_fault", "an order on disk cannot be read"};
    hold({.text = {},
          .payload_text = text,
          .payload = std::move(*payload),
          .hash = orders::order_hash(text),
          .signatures = {}});
  }
  return {};
}

void OrderDesk::hold(orders::Order order) {
  const orders::Hash hash = order.hash;
  const bool is_assignment = is_any<orders::Assignment>(order.payload.body);
  const std::string provider = order.payload.common.provider;
  if (is_any<orders::Device>(order.payload.body)) {
    provider_ = provider;
    std::erase_if(books_, [&](const auto& entry) { return entry.first != provider; });
  }
  // What proved it has done its work.
  order.text.clear();
  order.signatures.clear();
  orders::OrderBook& book = books_[provider];
  book.put(std::move(order));
  if (is_assignment) book.countersigned(hash);
}

const orders::OrderBook& OrderDesk::book() const {
  const auto found = provider_ ? books_.find(*provider_) : books_.end();
  return found == books_.end() ? empty_book() : found->second;
}

std::vector<orders::SlotEntry> OrderDesk::slots() const {
  // A release names its resident too: what stood in the home stays listed, so that nobody sends it again.
  const orders::Order* assigned = book().at("assignment", parts_.keys.hub());
  const std::string* resident = assigned == nullptr ? nullptr : orders::resident_of(assigned->payload.body);
  return book().slots(parts_.keys.hub(), resident == nullptr ? std::string_view() : std::string_view(*resident));
}

const orders::Order* OrderDesk::release() const {
  const orders::Order* slot = book().at("assignment", parts_.keys.hub());
  return slot != nullptr && is_any<orders::Release>(slot->payload.body) ? slot : nullptr;
}

const char* OrderDesk::state() const {
  if (release() != nullptr) return "released";
  const orders::Order* slot = book().at("assignment", parts_.keys.hub());
  if (slot == nullptr) return book().at("device", parts_.keys.hub()) == nullptr ? "factory" : "enrolled";
  return book().is_accepted(parts_.keys.hub()) ? "accepted" : "assigned";
}

Result<std::vector<Document>> OrderDesk::take(std::string_view text, const board::ClockReading& clock,
                                              std::chrono::milliseconds boot) {
  auto order = orders::parse_order(text);
  if (!order) return unreadable(text, order.error(), clock);
  TILLSYN_TRY(before, parts_.store.was_accepted(order->hash));
  if (before) return accepted_before(*order, clock);
  const Verdict verdict = judge(*order, clock, boot);
  TILLSYN_TRY(documents, settle(std::move(*order), verdict, clock));
  if (!verdict.accepted()) return documents;
  TILLSYN_TRY(more, judge_waiting(clock, boot));
  append(documents, std::move(more));
  return documents;
}

Result<std::vector<Document>> OrderDesk::judge_waiting(const board::ClockReading& clock,
                                                       std::chrono::milliseconds boot) {
  Documents documents;
  const auto end = std::chrono::steady_clock::now() + kJudgeTurn;
  has_more_ = false;
  for (bool again = true; again;) {
    again = false;
    TILLSYN_TRY(texts, parts_.store.waiting());
    for (const auto& text : texts) {
      auto order = orders::parse_order(text);
      if (!order) continue;  // of a format that a later version reads
      const Verdict verdict = judge(*order, clock, boot);
      const auto told = told_.find(order->hash);
      if (verdict.kind == Verdict::Kind::kWaiting && told != told_.end() && told->second == verdict.reason) continue;
      has_more_ = !documents.empty() && std::chrono::steady_clock::now() > end;
      if (has_more_) return documents;
      again = again || verdict.accepted();
      TILLSYN_TRY(more, settle(std::move(*order), verdict, clock));
      append(documents, std::move(more));
    }
  }
  return documents;
}

Verdict OrderDesk::judge(const orders::Order& order, const board::ClockReading& clock,
                         std::chrono::milliseconds boot) const {
  Verdict verdict = judge_by_rules(order, clock);
  if (!verdict.accepted()) return verdict;
  if (is_any<orders::Assignment>(order.payload.body) && !presence_.is_there(boot))
    return orders::verdict_of(orders::wait_for("no_presence"));
  return check_resident(order);
}

Verdict OrderDesk::judge_by_rules(const orders::Order& order, const board::ClockReading& clock) const {
  const orders::Body& body = order.payload.body;
  if (orders::is_act(body)) return orders::verdict_of(orders::refuse("type_not_supported"));
  const std::string* hub = orders::hub_of(body);
  if (hub != nullptr && *hub != parts_.keys.hub()) return orders::verdict_of(orders::refuse("wrong_hub"));
  if (!clock.is_trusted()) return orders::verdict_of(orders::wait_for("clock_untrusted"));
  if (parts_.trust.root_list() == nullptr || parts_.trust.bundle() == nullptr)
    return orders::verdict_of(orders::wait_for("bundle_missing"));
  const std::string provider = provider_.value_or(order.payload.common.provider);
  const auto found = books_.find(provider);
  const orders::OrderBook& held = found == books_.end() ? empty_book() : found->second;
  return held.judge_and_check(order, provider, *parts_.trust.root_list(), *parts_.trust.bundle(), clock.utc);
}

// A hub keeps orders about its own resident only.
Verdict OrderDesk::check_resident(const orders::Order& order) const {
  const std::string* resident = orders::resident_of(order.payload.body);
  if (resident == nullptr || orders::hub_of(order.payload.body) != nullptr) return {Verdict::Kind::kAccepted, {}, {}};
  const orders::Assignment* held = assignment();
  if (held == nullptr) return orders::verdict_of(orders::wait_for("no_assignment"));
  if (held->resident != *resident) return orders::verdict_of(orders::refuse("wrong_resident"));
  return {Verdict::Kind::kAccepted, {}, {}};
}

Result<OrderDesk::Documents> OrderDesk::settle(orders::Order order, const Verdict& verdict,
                                               const board::ClockReading& clock) {
  if (verdict.accepted()) return accept(std::move(order), clock);
  return not_accepted(order.hash, order.text, event_about("order_refused", order, verdict.reason), verdict, clock);
}

Result<OrderDesk::Documents> OrderDesk::accept(orders::Order order, const board::ClockReading& clock) {
  const orders::Hash hash = order.hash;
  const bool is_outcome = is_any<orders::Outcome>(order.payload.body);
  const bool is_assignment = is_any<orders::Assignment>(order.payload.body);
  TILLSYN_TRY(transaction, parts_.store.begin());
  TILLSYN_CHECK(parts_.store.add_accepted(order));
  if (is_any<orders::Device>(order.payload.body)) TILLSYN_CHECK(parts_.store.keep_only(order.payload.common.provider));
  TILLSYN_CHECK(parts_.log.append(event_about(is_outcome ? "outcome" : "order_accepted", order, {}), clock));
  if (!is_outcome) hold(std::move(order));
  TILLSYN_CHECK(parts_.store.add_head(head()));
  TILLSYN_CHECK(transaction.commit());
  told_.erase(hash);
  Documents documents;
  if (is_assignment) {
    presence_.use();
    TILLSYN_TRY(signed_here, countersign(hash, clock));
    documents.push_back(std::move(signed_here));
  }
  TILLSYN_TRY(told, receipt(hash, {Verdict::Kind::kAccepted, {}, {}}, clock));
  documents.push_back(std::move(told));
  return documents;
}

Result<OrderDesk::Documents> OrderDesk::accepted_before(const orders::Order& order, const board::ClockReading& clock) {
  Documents documents;
  if (is_any<orders::Assignment>(order.payload.body) && book().is_countersigned(order.hash)) {
    TILLSYN_TRY(signed_here, countersign(order.hash, clock));
    documents.push_back(std::move(signed_here));
  }
  TILLSYN_TRY(told, receipt(order.hash, {Verdict::Kind::kAccepted, {}, {}}, clock));
  documents.push_back(std::move(told));
  return documents;
}

Result<OrderDesk::Documents> OrderDesk::not_accepted(const orders::Hash& hash, std::string_view text,
                                                     const orders::Event& event, const Verdict& verdict,
                                                     const board::ClockReading& clock) {
  if (verdict.kind == Verdict::Kind::kWaiting) {
    TILLSYN_CHECK(parts_.store.add_waiting(hash, std::string(text)));
    if (told_.size() > 2 * Store::kMaxWaiting) told_.clear();
    told_[hash] = verdict.reason;
  } else {
    TILLSYN_CHECK(parts_.store.remove_waiting(hash));
    told_.erase(hash);
    TILLSYN_CHECK(parts_.log.append_counted(event, signer_key(event), clock));
  }
  TILLSYN_TRY(told, receipt(hash, verdict, clock));
  Documents documents;
  documents.push_back(std::move(told));
  return documents;
}

Result<OrderDesk::Documents> OrderDesk::unreadable(std::string_view text, const Error& error,
                                                   const board::ClockReading& clock) {
  orders::Event event;
  event.kind = "order_refused";
  const Verdict verdict = orders::verdict_of(error);
  event.reason = verdict.reason;
  const auto hash = orders::order_hash_in(text);
  if (!hash) {
    TILLSYN_CHECK(parts_.log.append_counted(event, {}, clock));
    return Documents();
  }
  event.order = *hash;
  return not_accepted(*hash, text, event, verdict, clock);
}

Result<Document> OrderDesk::receipt(const orders::Hash& order, const Verdict& verdict,
                                    const board::ClockReading& clock) const {
  orders::Receipt receipt;
  receipt.hub = parts_.keys.hub();
  receipt.order = order;
  receipt.verdict = verdict.kind;
  if (!verdict.accepted()) receipt.reason = verdict.reason;
  receipt.slots = slots();
  receipt.head = orders::head_of(receipt.slots);
  receipt.time = clock.utc;
  TILLSYN_TRY(envelope, parts_.keys.envelope("receipt", orders::format(receipt)));
  return Document{ipc::MessageType::kReceipt, std::move(envelope)};
}

Result<Document> OrderDesk::countersign(const orders::Hash& order, const board::ClockReading& clock) const {
  const orders::Countersign countersign{parts_.keys.hub(), order, clock.utc};
  TILLSYN_TRY(envelope, parts_.keys.envelope("countersign", orders::format(countersign)));
  return Document{ipc::MessageType::kCountersign, std::move(envelope)};
}

}  // namespace tillsyn::gate
