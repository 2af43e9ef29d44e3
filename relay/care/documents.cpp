#include "relay/care/documents.h"

namespace tillsyn::care {
namespace {

using orders::DeviceKind;

constexpr std::chrono::minutes kRefusalsEvery{1};
constexpr std::size_t kMaxReasonBytes = 256;  // of a log entry

// A document whose signature has been verified, and what the log says of it.
struct Document {
  DeviceKind kind;
  std::string body;  // the envelope
  orders::Hash hash{};
  std::optional<std::string> order;  // base64url
  std::optional<std::int64_t> position;
  ledger::Entry entry;
};

struct Intake {
  Provider& provider;
  const std::string& hub;
  const crypto::P256PublicKey& device_key;
  Instant now;
  bool& changed;
};

std::optional<std::string> clipped(std::optional<std::string> text) {
  if (!text || text->size() <= kMaxReasonBytes) return text;
  std::size_t end = kMaxReasonBytes;
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xC0) == 0x80) --end;  // not within a character
  text->resize(end);
  return text;
}

ledger::EntryKind entry_kind(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kAnswer:
      return ledger::EntryKind::kAnswer;
    case DeviceKind::kReceipt:
      return ledger::EntryKind::kReceipt;
    case DeviceKind::kCountersign:
      return ledger::EntryKind::kCountersign;
    default:
      return ledger::EntryKind::kEvent;
  }
}

Document document(DeviceKind kind, const std::string& body, const std::string& payload, const std::string& what,
                  const std::string& hub) {
  const auto hash = orders::document_hash(kind, payload);
  return {kind, body, hash, {}, {}, relay_ledger::entry_for_document(entry_kind(kind), what, hub, hash)};
}

Result<Document> read_answer(const std::string& body, const std::string& payload) {
  TILLSYN_TRY(answer, orders::parse_answer(payload));
  auto out = document(DeviceKind::kAnswer, body, payload, answer.open ? "open" : "closed", answer.hub);
  out.order = to_base64url(answer.order);
  out.entry.resident = answer.resident;
  out.entry.reason = clipped(answer.reason);
  return out;
}

Result<Document> read_receipt(const std::string& body, const std::string& payload) {
  TILLSYN_TRY(receipt, orders::parse_receipt(payload));
  auto out = document(DeviceKind::kReceipt, body, payload, orders::verdict_name(receipt.verdict), receipt.hub);
  out.order = to_base64url(receipt.order);
  out.entry.reason = clipped(receipt.reason);
  return out;
}

Result<Document> read_countersign(const std::string& body, const std::string& payload) {
  TILLSYN_TRY(countersign, orders::parse_countersign(payload));
  auto out = document(DeviceKind::kCountersign, body, payload, "countersign", countersign.hub);
  out.order = to_base64url(countersign.order);
  return out;
}

Result<Document> read_event(const std::string& body, const std::string& payload) {
  TILLSYN_TRY(event, orders::parse_event(payload));
  auto out = document(DeviceKind::kEvent, body, payload, event.kind, event.hub);
  if (event.order) out.order = to_base64url(*event.order);
  out.position = event.n;
  out.entry.resident = event.resident;
  out.entry.reason = clipped(event.reason);
  if (event.who) out.entry.who = {ledger_person(*event.who)};
  return out;
}

Result<Document> read_document(DeviceKind kind, const Json& envelope, const Intake& in) {
  const std::string body = envelope.dump(-1, ' ', false, Json::error_handler_t::replace);
  TILLSYN_TRY(payload, orders::open(kind, body, in.device_key));
  auto out = kind == DeviceKind::kAnswer        ? read_answer(body, payload)
             : kind == DeviceKind::kReceipt     ? read_receipt(body, payload)
             : kind == DeviceKind::kCountersign ? read_countersign(body, payload)
                                                : read_event(body, payload);
  if (out && out->entry.hub != in.hub) return refused("wrong_hub", "The document is another hub's.");
  return out;
}

Result<bool> is_held(Provider& provider, const Document& document) {
  TILLSYN_TRY(row, provider.database.select_one<std::string>("select hash from documents where hash = :hash",
                                                             {to_base64url(document.hash)}));
  return row.has_value();
}

Result<void> keep(Provider& provider, const Document& document, Instant now) {
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(entry, provider.ledger->append(document.entry, now));
    TILLSYN_CHECK(
        provider.database.run("insert into documents (hash, kind, what, hub, order_hash, position, body, seq) values "
                              "(:hash, :kind, :what, :hub, "
                              ":order, :position, :body, :seq)",
                              {to_base64url(document.hash), std::string(orders::device_kind_name(document.kind)),
                               entry.what, *document.entry.hub, store::optional_value(document.order),
                               document.position ? store::Value(*document.position) : store::Value(nullptr),
                               document.body, static_cast<std::int64_t>(entry.seq)}));
    return {};
  });
}

Result<void> enter_refused(const Intake& in, DeviceKind kind, const std::string& reason) {
  auto& last = in.provider.refused_of[in.hub];
  if (last != Instant() && in.now - last < kRefusalsEvery) return {};
  last = in.now;
  TILLSYN_CHECK(in.provider.ledger->append_seen({.what = "document_refused",
                                                 .hub = in.hub,
                                                 .reason = reason,
                                                 .details = {{"kind", orders::device_kind_name(kind)}}},
                                                in.now));
  return {};
}

// An answer or receipt is about an order that this provider's log holds; an answer about one that was addressed to the
// hub.
Result<void> check_order(const Intake& in, const Document& document) {
  TILLSYN_TRY(hash, from_base64url_exact<32>(*document.order));
  TILLSYN_TRY(entry, in.provider.ledger->find(hash));
  if (document.kind == DeviceKind::kReceipt || entry.hub == in.hub) return {};
  return refused("wrong_hub", "The order was addressed to another hub.");
}

void act_on(const Intake& in, const Document& document) {
  if (document.kind == DeviceKind::kCountersign) {
    if (const auto hash = from_base64url_exact<32>(*document.order)) in.provider.book.countersigned(*hash);
    in.provider.waiting_at.erase(in.hub);
    in.changed = true;
  } else if (document.kind == DeviceKind::kReceipt) {
    const auto hash = from_base64url_exact<32>(*document.order);
    if (hash && document.entry.what == std::string("waiting")) in.provider.waiting_at[in.hub].insert(*hash);
    in.changed = true;
  } else if (document.entry.what == "started") {
    in.provider.waiting_at.erase(in.hub);  // what it could not judge, it has forgotten
  }
}

Result<void> take(const Intake& in, DeviceKind kind, const Json& envelope) {
  auto document = read_document(kind, envelope, in);
  if (!document) return enter_refused(in, kind, orders::verdict_of(document.error()).reason);
  TILLSYN_TRY(held, is_held(in.provider, *document));
  if (held) return {};
  if (const auto fits = check_order(in, *document); !fits) {
    return fits.error().code == Code::kIo ? fits : enter_refused(in, kind, fits.error().reason);
  }
  TILLSYN_CHECK(keep(in.provider, *document, in.now));
  act_on(in, *document);
  return {};
}

// Where the chain of a hub's events ends.
struct Chain {
  std::int64_t newest = 0;
  std::optional<orders::Hash> hash;
};

Result<Chain> chain_of(Provider& provider, const std::string& hub) {
  TILLSYN_TRY(rows,
              (provider.database.select<std::int64_t, std::string>(
                  "select position, hash from documents where hub = :hub and kind = 'event' order by position desc "
                  "limit 1",
                  {hub})));
  if (rows.empty()) return Chain{};
  TILLSYN_TRY(hash, from_base64url_exact<32>(std::get<1>(rows.front())));
  return Chain{std::get<0>(rows.front()), hash};
}

Result<void> take_events(const Intake& in, const std::vector<Json>& envelopes) {
  TILLSYN_TRY(chain, chain_of(in.provider, in.hub));
  for (const Json& envelope : envelopes) {
    auto document = read_document(DeviceKind::kEvent, envelope, in);
    if (!document) return enter_refused(in, DeviceKind::kEvent, orders::verdict_of(document.error()).reason);
    if (*document->position <= chain.newest) {
      TILLSYN_TRY(held, is_held(in.provider, *document));
      if (held) continue;
      return enter_refused(in, DeviceKind::kEvent, "broken_chain");  // another under a number that was told before
    }
    TILLSYN_TRY(payload, orders::open(DeviceKind::kEvent, document->body, in.device_key));
    TILLSYN_TRY(event, orders::parse_event(payload));
    if (event.n != chain.newest + 1 || event.prev != chain.hash) {
      return enter_refused(in, DeviceKind::kEvent, "broken_chain");
    }
    TILLSYN_CHECK(keep(in.provider, *document, in.now));
    act_on(in, *document);
    chain = {event.n, document->hash};
  }
  return {};
}

}  // namespace

Result<void> record_documents(Provider& provider, const std::string& hub, const crypto::P256PublicKey& device_key,
                              const Documents& documents, Instant now, bool& changed) {
  const Intake in{provider, hub, device_key, now, changed};
  // One transaction, one wait for the disk.  Should it fail, the store answers nothing more, so that the book, which is
  // then ahead of it, does no harm.
  return provider.database.transaction([&]() -> Result<void> {
    for (const Json& envelope : documents.countersigns) TILLSYN_CHECK(take(in, DeviceKind::kCountersign, envelope));
    for (const Json& envelope : documents.receipts) TILLSYN_CHECK(take(in, DeviceKind::kReceipt, envelope));
    for (const Json& envelope : documents.answers) TILLSYN_CHECK(take(in, DeviceKind::kAnswer, envelope));
    return take_events(in, documents.events);
  });
}

Result<std::int64_t> newest_event(Provider& provider, const std::string& hub) {
  TILLSYN_TRY(chain, chain_of(provider, hub));
  return chain.newest;
}

}  // namespace tillsyn::care
