#include "relay/admin/relay.h"

#include "common/base/json.h"
#include "common/crypto/hash.h"
#include "common/orders/bindings.h"

namespace tillsyn::admin {
namespace {

constexpr std::size_t kMaxAnswerBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxItems = 1000;  // of a page
constexpr int kMaxPages = 10000;
constexpr std::size_t kMaxCursorBytes = 512;
constexpr std::int64_t kMaxNumber = (std::int64_t{1} << 53) - 1;

// The relay's own words for a failure (RFC 9457), where it has any.
std::string problem_in(const std::string& body) {
  const auto value = parse_json(body);
  if (!value || !value->is_object()) return {};
  const std::string code = value->value("code", Json("")).is_string() ? value->value("code", "") : "";
  const std::string detail = value->value("detail", Json("")).is_string() ? value->value("detail", "") : "";
  return ": " + code + (detail.empty() ? "" : " (" + detail + ")");
}

std::string text_of_member(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

// Asks one relay and reads JSON answers. Members that are not asked for may stand beside those that are.
class Caller {
 public:
  explicit Caller(RelayAddress address) : address_(std::move(address)) {}

  void carry(std::string token) { token_ = std::move(token); }

  Result<Json> ask(const std::string& method, const std::string& path, std::optional<std::string> body = std::nullopt,
                   std::optional<std::string> key = std::nullopt) {
    HttpsRequest request{.method = method,
                         .url = address_.url + path,
                         .ca = address_.ca,
                         .bearer = token_,
                         .json = std::move(body),
                         .idempotency_key = std::move(key),
                         .max_bytes = kMaxAnswerBytes};
    TILLSYN_TRY(answer, client_.ask(request));
    const std::string what = "the relay answered " + method + " " + path + " with " + std::to_string(answer.status);
    if (answer.status >= 500)
      return Error{Code::kUnavailable, "relay", what + problem_in(answer.body) + "; try again later"};
    if (answer.status >= 300) return refused("relay", what + problem_in(answer.body));
    if (answer.body.empty()) return Json();
    const auto value = parse_json(answer.body, {kMaxAnswerBytes, 32});
    if (!value) return value.error().within(what + ", which is not JSON of ours");
    return *value;
  }

  // Writes a document, and once more when the answer was lost: under a key of the document's own, so that it acts once
  // however often the command is run.
  Result<Json> write(const std::string& method, const std::string& path, const std::string& document) {
    const std::string key = to_base64url(crypto::sha256(view_of(method + " " + path + "\n" + document)));
    auto first = ask(method, path, document, key);
    const bool is_lost = !first && first.error().code == Code::kUnavailable && first.error().reason == "fetch";
    return is_lost ? ask(method, path, document, key) : std::move(first);
  }

  const std::string& host() const { return address_.host; }

 private:
  RelayAddress address_;
  HttpsClient client_;
  std::optional<std::string> token_;
};

Result<HandedOrder> read_handed(const Json& item) {
  JsonReader in(item, "orders.items[]");
  JsonReader entry(in.object("entry"), "orders.items[].entry");
  HandedOrder out;
  out.order = text_of_member(in.any("order"));
  out.seq = static_cast<std::uint64_t>(entry.integer("seq", 0, kMaxNumber));
  const auto time = parse_instant(entry.text("time", 20));
  if (const Json& countersign = in.any("countersign"); !countersign.is_null())
    out.countersign = text_of_member(countersign);
  if (!in.ok()) return in.finish().error();
  if (!entry.ok()) return entry.finish().error();
  if (!time) return time.error();
  out.time = *time;
  return out;
}

class HttpsRelay : public Relay {
 public:
  explicit HttpsRelay(Caller caller) : caller_(std::move(caller)) {}

  Result<std::string> checkpoint() override {
    TILLSYN_TRY(answer, caller_.ask("GET", "/v1/ledger/checkpoint"));
    JsonReader in(answer, "the relay's checkpoint");
    std::string note = in.text("checkpoint", ledger::kMaxNoteBytes);
    if (!in.ok()) return in.finish().error();
    return note;
  }

  Result<std::vector<std::string>> entries(std::uint64_t from, std::uint64_t count) override {
    TILLSYN_TRY(answer, caller_.ask("GET", "/v1/ledger/entries?from=" + std::to_string(from) +
                                               "&limit=" + std::to_string(count)));
    JsonReader in(answer, "the relay's entries");
    const Json& items = in.array("items", count);
    if (!in.ok()) return in.finish().error();
    std::vector<std::string> out;
    for (const Json& item : items) out.push_back(text_of_member(item));
    return out;
  }

  Result<std::vector<HandedOrder>> orders() override {
    std::vector<HandedOrder> out;
    std::string page;
    for (int pages = 0; pages < kMaxPages; ++pages) {
      TILLSYN_TRY(answer, caller_.ask("GET", "/v1/orders" + page));
      JsonReader in(answer, "the relay's orders");
      const Json& items = in.array("items", kMaxItems);
      const auto next = in.optional_text("next", kMaxCursorBytes);
      if (!in.ok()) return in.finish().error();
      for (const Json& item : items) {
        TILLSYN_TRY(order, read_handed(item));
        out.push_back(std::move(order));
      }
      if (!next) return out;
      TILLSYN_CHECK(from_base64url(*next));
      page = "?cursor=" + *next;
    }
    return refused("relay", "the relay's list of orders does not end: tell the one who runs it");
  }

 private:
  Caller caller_;
};

Result<std::string> open_session(Caller& caller, const std::string& provider, const crypto::Ed25519PrivateKey& key) {
  TILLSYN_TRY(offered, caller.ask("POST", "/v1/session/challenge", "{}"));
  JsonReader in(offered, "the relay's challenge");
  const std::string text = in.text("challenge", 64);
  if (!in.ok()) return in.finish().error();
  TILLSYN_TRY(challenge, from_base64url_exact<32>(text));
  const auto sig = key.sign(orders::session_bytes(caller.host(), challenge));
  const Json body = {{"challenge", text},
                     {"provider", provider},
                     {"bundle_key", to_base64url(key.public_key().bytes())},
                     {"sig", to_base64url(sig)}};
  TILLSYN_TRY(session, caller.ask("POST", "/v1/session", canonical_json(body)));
  JsonReader answer(session, "the relay's session");
  std::string token = answer.text("token", 4096);
  if (!answer.ok()) return answer.finish().error();
  return token;
}

}  // namespace

Result<RelayAddress> find_relay(const orders::RootList& list, const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  std::string bare = url;
  while (!bare.empty() && bare.back() == '/') bare.pop_back();
  const std::string host = bare.starts_with(kScheme) ? bare.substr(kScheme.size()) : std::string();
  std::string known;
  for (const auto& relay : list.relays) {
    if (relay.host == host || relay.host == host + ":443") return RelayAddress{bare, relay.host, relay.ca};
    known += " https://" + relay.host;
  }
  return Error{Code::kNotFound, "relay", "the root list names no relay " + url + "; it names" + known};
}

Result<std::unique_ptr<Relay>> log_in(const RelayAddress& address, const std::string& provider,
                                      const crypto::Ed25519PrivateKey& bundle_key) {
  Caller caller(address);
  TILLSYN_TRY(token, open_session(caller, provider, bundle_key));
  caller.carry(token);
  return std::unique_ptr<Relay>(std::make_unique<HttpsRelay>(std::move(caller)));
}

Result<void> put_trust(const RelayAddress& address, const std::string& name, const std::string& envelope) {
  Caller caller(address);
  TILLSYN_CHECK(caller.write("PUT", "/v1/trust/" + name, envelope));
  return {};
}

}  // namespace tillsyn::admin
