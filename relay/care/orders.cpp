#include "relay/care/orders.h"

#include <array>
#include <map>

#include "common/orders/bindings.h"
#include "common/orders/order_book.h"
#include "relay/care/needs.h"
#include "relay/care/residents.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::hours kOutcomesShown{72};

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }

Error error_of(const orders::Verdict& verdict) {
  const auto is_conflict =
      verdict.reason == "slot_taken" || verdict.reason == "superseded" || verdict.reason == "wrong_predecessor";
  const auto code = is_conflict                                       ? Code::kConflict
                    : verdict.kind == orders::Verdict::Kind::kWaiting ? Code::kWaiting
                                                                      : Code::kRefused;
  return {code, verdict.reason, verdict.sentence};
}

Result<std::optional<Accepted>> accepted_before(Provider& provider, const orders::Hash& hash) {
  TILLSYN_TRY(
      row, provider.database.select_one<std::int64_t>("select n from orders where hash = :hash", {to_base64url(hash)}));
  std::optional<Accepted> out;
  if (!row) return out;
  TILLSYN_TRY(entry, provider.ledger->find(hash));
  out = Accepted{hash, entry, false};
  return out;
}

Result<void> check_note(const orders::Order& order, const std::optional<Note>& note) {
  const auto* outcome = std::get_if<orders::Outcome>(&order.payload.body);
  const auto named = outcome ? outcome->note : std::optional<orders::Hash>();
  const bool fits = named ? note && orders::note_hash(note->salt, note->text) == *named : !note.has_value();
  if (!fits) return malformed("malformed", "The note is not the one that the order names.");
  return {};
}

Result<void> keep_note(Provider& provider, const orders::Order& order, const Note& note) {
  const std::string& resident = *orders::resident_of(order.payload.body);
  const Json text = {{"salt", to_base64url(note.salt)}, {"text", note.text}};
  TILLSYN_TRY(sealed, seal_for(provider, resident, "note " + to_base64url(order.hash), text.dump()));
  TILLSYN_CHECK(
      provider.database.run("insert into notes (order_hash, resident, sealed) values (:hash, :resident, :sealed)",
                            {to_base64url(order.hash), resident, sealed}));
  return {};
}

Result<void> keep_order(Provider& provider, const orders::Order& order, const ledger::Entry& entry, Instant now) {
  const auto& body = order.payload.body;
  const auto slot = orders::slot_of(body);
  const auto text_or_null = [](const std::string* text) { return text ? store::Value(*text) : store::Value(nullptr); };
  const auto& standing = order.payload.common.standing;
  TILLSYN_CHECK(provider.database.run(
      "insert into orders (n, hash, type, slot, owner, version, replaces, resident, hub, body, seq, time, posted_ms) "
      "values "
      "((select coalesce(max(n), 0) + 1 from orders), :hash, :type, :slot, :owner, :version, :replaces, :resident, "
      ":hub, "
      ":body, :seq, :time, :posted)",
      {to_base64url(order.hash), std::string(orders::type_name(body)),
       slot ? store::Value(slot->name) : store::Value(nullptr),
       slot ? store::Value(slot->owner) : store::Value(nullptr),
       standing ? store::Value(standing->version) : store::Value(nullptr),
       standing && standing->replaces ? store::Value(to_base64url(*standing->replaces)) : store::Value(nullptr),
       text_or_null(orders::resident_of(body)), text_or_null(orders::hub_of(body)), order.text,
       static_cast<std::int64_t>(entry.seq), format_instant(entry.time), ms_of(now)}));
  return {};
}

Result<Accepted> keep(Provider& provider, const orders::Order& order, const std::optional<Note>& note, Instant now) {
  Accepted out{order.hash, {}, true};
  const auto done = provider.database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(form, ledger::entry_for_order(order.payload_text, 0, now));
    TILLSYN_TRY(entry, provider.ledger->append(form, now));
    out.entry = entry;
    TILLSYN_CHECK(keep_order(provider, order, entry, now));
    if (note) return keep_note(provider, order, *note);
    return {};
  });
  if (!done) return done.error();
  return out;
}

// What hubs have signed about orders: of each kind and hub the newest. Every hub of a provider signs for every right,
// and nobody asks for those.
using Signed =
    std::map<std::string, std::map<std::string, std::map<std::string, std::string>>>;  // order -> kind -> hub

Result<Signed> signed_about(Provider& provider, std::int64_t after, std::int64_t last) {
  TILLSYN_TRY(
      rows,
      (provider.database.select<std::string, std::string, std::string, std::string>(
          "select order_hash, kind, hub, body from documents where kind in ('receipt', 'countersign') "
          "and order_hash in (select hash from orders where n > :after and n <= :last and (slot is null or slot <> "
          "'person')) order by seq",
          {after, last})));
  Signed out;
  for (auto& [order, kind, hub, body] : rows) out[order][kind][hub] = std::move(body);
  return out;
}

Json envelopes(const std::map<std::string, std::string>& by_hub) {
  Json out = Json::array();
  for (const auto& [hub, body] : by_hub) out.push_back(Json::parse(body, nullptr, false));
  return out;
}

}  // namespace

Result<Accepted> accept_order(Provider& provider, const Trusted& trusted, const std::string& text,
                              const std::optional<Note>& note, const orders::Person& poster, Instant now) {
  auto order = orders::parse_order(text);
  if (!order) return order.error();
  if (orders::is_act(order->payload.body)) return refused("type_not_supported", "A view goes by the WebSocket.");
  TILLSYN_TRY(before, accepted_before(provider, order->hash));
  if (before) return *before;
  TILLSYN_CHECK(check_note(*order, note));
  const auto verdict = provider.book.judge_and_check(*order, provider.id, *trusted.root_list, *trusted.bundle, now);
  if (!verdict.accepted()) {
    TILLSYN_CHECK(enter_refusal(provider, text, verdict.reason, poster, now));
    return error_of(verdict);
  }
  TILLSYN_TRY(accepted, keep(provider, *order, note, now));
  accepted.hubs = hubs_concerned(provider, *order);
  if (orders::is_standing(order->payload.body)) provider.book.put(std::move(*order));
  provider.waiting_at.clear();
  return accepted;
}

Json holder_of(const Provider& provider, const std::string& text) {
  const auto order = orders::parse_order(text);
  const orders::Order* holder = order ? provider.book.holder(*order) : nullptr;
  return holder ? Json::parse(holder->text, nullptr, false) : Json();
}

Result<Json> order_items(Provider& provider, std::int64_t after, std::size_t limit, Instant now) {
  TILLSYN_TRY(rows,
              (provider.database.select<std::int64_t, std::string, std::string, std::int64_t, std::string>(
                  "select n, hash, body, seq, time from orders where n > :after and (slot is not null or posted_ms > "
                  ":shown) order by n limit :limit",
                  {after, ms_of(now - kOutcomesShown), static_cast<std::int64_t>(limit)})));
  TILLSYN_TRY(about, signed_about(provider, after, rows.empty() ? after : std::get<0>(rows.back())));
  Json items = Json::array();
  for (const auto& [n, hash, body, seq, time] : rows) {
    auto& documents = about[hash];
    const auto countersigns = envelopes(documents["countersign"]);
    items.push_back({{"n", n},
                     {"order", Json::parse(body, nullptr, false)},
                     {"entry", {{"seq", seq}, {"time", time}}},
                     {"countersign", countersigns.empty() ? Json() : countersigns.front()},
                     {"receipts", envelopes(documents["receipt"])}});
  }
  return items;
}

Result<void> enter_refusal(Provider& provider, const std::string& text, const std::string& reason,
                           const orders::Person& poster, Instant now) {
  relay_ledger::Ledger::Seen seen{.what = "order_refused", .who = {ledger_person(poster)}, .reason = reason};
  if (const auto hash = orders::order_hash_in(text)) seen.hash = *hash;
  if (const auto order = orders::parse_order(text)) {
    if (const auto* hub = orders::hub_of(order->payload.body)) seen.hub = *hub;
    if (const auto* resident = orders::resident_of(order->payload.body)) seen.resident = *resident;
    seen.details = {{"type", orders::type_name(order->payload.body)}};
  }
  TILLSYN_CHECK(provider.ledger->append_seen(seen, now));
  return {};
}

}  // namespace tillsyn::care
