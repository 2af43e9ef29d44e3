#include "relay/care/views.h"

#include "common/ledger/checkpoint.h"
#include "relay/care/orders.h"
#include "relay/care/protection.h"

namespace tillsyn::care {
namespace {

Result<void> check_is_new(Provider& provider, const orders::Hash& hash) {
  const auto entry = provider.ledger->find(hash);
  if (entry && entry->kind == ledger::EntryKind::kOrder)
    return refused("replayed", "This view has been asked for before.");
  if (!entry && entry.error().code != Code::kNotFound) return entry.error();
  return {};
}

Result<orders::Order> judged(Provider& provider, const Trusted& trusted, const std::string& text,
                             const orders::Person& viewer, Instant now) {
  TILLSYN_TRY(order, orders::parse_order(text));
  if (!orders::is_act(order.payload.body)) return refused("type_not_supported", "Only a view can be asked for here.");
  const auto& signers = order.payload.common.signers;
  if (signers.size() != 1 || !(signers.front().person == viewer)) {
    return refused("person_mismatch", "A view is asked for by the person who signed it.");
  }
  TILLSYN_CHECK(check_is_new(provider, order.hash));
  TILLSYN_TRY(is_hidden, is_protected(provider, *orders::resident_of(order.payload.body)));
  if (is_hidden) return refused("protected_identity", "The resident is protected: the camera is not shown.");
  const auto verdict = provider.book.judge_and_check(order, provider.id, *trusted.root_list, *trusted.bundle, now);
  if (verdict.accepted()) return order;
  return Error{verdict.kind == orders::Verdict::Kind::kWaiting ? Code::kWaiting : Code::kRefused, verdict.reason,
               verdict.sentence};
}

// The size that a status member {"size","root"} names; 0 when it names none.
std::uint64_t size_in(const Json& status) {
  if (!status.is_object()) return 0;
  const auto log = status.find("ledger");
  if (log == status.end() || !log->is_object()) return 0;
  const auto size = log->find("size");
  return size != log->end() && size->is_number_unsigned() ? size->get<std::uint64_t>() : 0;
}

std::uint64_t size_in_bundle(const Provider& provider, const Trusted& trusted) {
  const auto* state = trusted.bundle->provider(provider.id);
  if (!state || !state->checkpoint) return 0;
  const auto checkpoint = ledger::open_checkpoint(*state->checkpoint, provider.ledger->verifier_key());
  return checkpoint ? checkpoint->size : 0;
}

// A hub or viewer that knows a longer log than ours gets no proof, and finds out by itself what that means.
Result<Json> consistency(Provider& provider, std::uint64_t from, std::uint64_t to) {
  if (from > to) return Json::array();
  TILLSYN_TRY(proof, provider.ledger->consistency(from, to));
  return relay_ledger::proof_json(proof);
}

}  // namespace

Result<AcceptedView> accept_view(Provider& provider, const Trusted& trusted, const std::string& text,
                                 const orders::Person& viewer, Instant now) {
  auto order = judged(provider, trusted, text, viewer, now);
  if (!order) {
    if (order.error().code == Code::kIo) return order.error();
    TILLSYN_CHECK(enter_refusal(provider, text, orders::verdict_of(order.error()).reason, viewer, now));
    return order.error();
  }
  TILLSYN_TRY(form, ledger::entry_for_order(order->payload_text, 0, now));
  TILLSYN_TRY(entry, provider.ledger->append(form, now));
  return AcceptedView{std::move(*order), entry};
}

Result<std::string> make_offer(Provider& provider, const Trusted& trusted, const std::string& text, std::uint64_t seq,
                               const Json& status) {
  TILLSYN_TRY(order, orders::parse_order(text));
  const auto* view = std::get_if<orders::View>(&order.payload.body);
  if (!view) return Error{Code::kInternal, "offer", "only a view is offered"};
  TILLSYN_TRY(entry, provider.ledger->find(order.hash));
  TILLSYN_TRY(newest, provider.ledger->checkpoint());
  TILLSYN_TRY(note, provider.ledger->checkpoint_note());
  TILLSYN_TRY(inclusion, provider.ledger->inclusion(seq, newest.size));
  TILLSYN_TRY(hub, consistency(provider, size_in(status), newest.size));
  TILLSYN_TRY(viewer, consistency(provider, view->checkpoint.size, newest.size));
  TILLSYN_TRY(bundle, consistency(provider, size_in_bundle(provider, trusted), newest.size));
  const Json offer = {{"order", Json::parse(text, nullptr, false)},
                      {"seq", seq},
                      {"time", format_instant(entry.time)},
                      {"checkpoint", note},
                      {"inclusion", relay_ledger::proof_json(inclusion)},
                      {"consistency", {{"hub", hub}, {"viewer", viewer}, {"bundle", bundle}}}};
  return offer.dump();
}

}  // namespace tillsyn::care
