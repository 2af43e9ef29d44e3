#include "firmware/gate/offer.h"

#include <limits>

#include "common/base/json.h"
#include "common/ledger/entry.h"
#include "common/orders/refusals.h"

namespace tillsyn::gate {
namespace {

constexpr std::int64_t kMaxSeq = (std::int64_t{1} << 53) - 1;

ledger::Proof read_proof(JsonReader& in, const char* name) {
  ledger::Proof proof;
  for (const Json& item : in.array(name, ledger::kMaxProofHashes)) {
    const auto hash = item.is_string() ? from_base64url_exact<32>(item.get_ref<const std::string&>())
                                       : Result<ByteArray<32>>(malformed("member", "not a text"));
    if (!hash) return in.fail(name, "not hashes"), ledger::Proof();
    proof.push_back(*hash);
  }
  return proof;
}

Instant read_time(JsonReader& in, const char* name) {
  const auto time = parse_instant(in.text(name, 32));
  if (!time) in.fail(name, "not a time");
  return time ? *time : Instant();
}

Result<void> read_consistency(const Json& value, Offer& offer) {
  JsonReader in(value, "consistency");
  offer.from_hub = read_proof(in, "hub");
  offer.from_viewer = read_proof(in, "viewer");
  offer.from_bundle = read_proof(in, "bundle");
  return in.finish();
}

Result<Offer> read_offer(const Json& value) {
  JsonReader in(value, "offer");
  Offer offer;
  offer.order = in.object("order").dump();
  offer.seq = static_cast<std::uint64_t>(in.integer("seq", 0, kMaxSeq));
  offer.time = read_time(in, "time");
  offer.checkpoint = in.text("checkpoint", ledger::kMaxNoteBytes);
  offer.inclusion = read_proof(in, "inclusion");
  TILLSYN_CHECK(read_consistency(in.object("consistency"), offer));
  TILLSYN_CHECK(in.finish());
  return offer;
}

Result<void> check_grown(const orders::LogPoint& from, const ledger::Checkpoint& to, const ledger::Proof& proof) {
  if (from.size == 0) return {};
  if (from.size > to.size) return orders::refuse("ledger_older");
  const auto grown = ledger::verify_consistency(from.size, to.size, proof, from.root, to.root);
  return grown ? Result<void>() : orders::refuse("ledger_forked", grown.error().message);
}

Result<orders::LogPoint> point_of_bundle(const orders::Bundle& bundle, const orders::Provider& provider) {
  const orders::ProviderState* state = bundle.provider(provider.id);
  if (state == nullptr || !state->checkpoint)
    return orders::refuse("bundle_missing", "the bundle has no checkpoint of the provider's log");
  const auto checkpoint = ledger::open_checkpoint(*state->checkpoint, provider.ledger_key);
  if (!checkpoint) return orders::refuse("ledger_forked", "the bundle's checkpoint: " + checkpoint.error().message);
  return orders::LogPoint{checkpoint->size, checkpoint->root};
}

Result<ledger::Checkpoint> check_entry(const Offer& offer, const orders::Order& order,
                                       const orders::Provider& provider) {
  TILLSYN_TRY(checkpoint, ledger::open_checkpoint(offer.checkpoint, provider.ledger_key));
  TILLSYN_TRY(entry, ledger::entry_for_order(order.payload_text, offer.seq, offer.time));
  TILLSYN_CHECK(ledger::verify_inclusion(ledger::entry_leaf(entry), offer.seq, checkpoint.size, offer.inclusion,
                                         checkpoint.root));
  return checkpoint;
}

}  // namespace

Result<Offer> parse_offer(std::string_view json) {
  const auto value = parse_json(json, {.max_bytes = kMaxOfferBytes, .max_depth = 8});
  if (!value) return orders::refuse("malformed", value.error().message);
  auto offer = read_offer(*value);
  if (!offer) return orders::refuse("malformed", offer.error().message);
  return offer;
}

Result<orders::LogPoint> check_log(const Offer& offer, const orders::Order& order, const orders::View& view,
                                   const orders::Provider& provider, const orders::Bundle& bundle,
                                   const orders::LogPoint& held) {
  const auto checkpoint = check_entry(offer, order, provider);
  if (!checkpoint) return orders::refuse("no_ledger_entry", checkpoint.error().message);
  TILLSYN_CHECK(check_grown(held, *checkpoint, offer.from_hub));
  TILLSYN_CHECK(check_grown(view.checkpoint, *checkpoint, offer.from_viewer));
  TILLSYN_TRY(from_bundle, point_of_bundle(bundle, provider));
  TILLSYN_CHECK(check_grown(from_bundle, *checkpoint, offer.from_bundle));
  return orders::LogPoint{checkpoint->size, checkpoint->root};
}

}  // namespace tillsyn::gate
