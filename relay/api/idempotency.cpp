#include "relay/api/idempotency.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/crypto/hash.h"
#include "relay/care/residents.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;

constexpr std::size_t kMaxKeyBytes = 64;
constexpr const char* kSealedAs = "answer";

bool is_key(const std::string& key) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  };
  return !key.empty() && key.size() <= kMaxKeyBytes && std::all_of(key.begin(), key.end(), fits);
}

// What the request is, beside its path.
std::string digest_of(const ApiRequest& request) {
  const Json parts = Json::array({request.body, Json(request.query)});
  return to_base64url(crypto::sha256(view_of(parts.dump(-1, ' ', false, Json::error_handler_t::replace))));
}

std::string format_answer(const ApiResponse& answer) {
  return Json{{"status", answer.status},
              {"body", answer.body},
              {"content_type", answer.content_type},
              {"headers", answer.headers}}
      .dump();
}

Result<ApiResponse> parse_answer(const std::string& text) {
  const Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return Error{Code::kIo, "store_fault", "a kept answer is damaged"};
  return ApiResponse{value.at("status").get<unsigned>(), value.at("body").get<std::string>(),
                     value.at("content_type").get<std::string>(),
                     value.at("headers").get<std::map<std::string, std::string>>()};
}

// One person's key on one path.
class Kept {
 public:
  Kept(const Caller& caller, const ApiRequest& request)
      : caller_(caller),
        request_(request),
        place_{caller.session.person.issuer, caller.session.person.value, request.method + " " + request.path,
               *request.idempotency_key} {}

  // The answer of before; nullopt: there is none. kRefused "key_reused".
  Result<std::optional<ApiResponse>> find() {
    auto values = place_;
    values.emplace_back(oldest_kept());
    TILLSYN_TRY(row, (database().select_one<std::string, std::string>(
                         "select digest, sealed from answers where issuer = :issuer and person = :person and route = "
                         ":route and key = :key and made_ms > :oldest",
                         values)));
    std::optional<ApiResponse> out;
    if (!row) return out;
    const auto& [digest, sealed] = *row;
    if (digest != digest_of(request_)) return refused("key_reused", "Another request was made under this key before.");
    TILLSYN_TRY(text, care::open_of_provider(caller_.provider, kSealedAs, sealed));
    TILLSYN_TRY(answer, parse_answer(text));
    out = std::move(answer);
    return out;
  }

  Result<void> keep(const ApiResponse& answer) {
    TILLSYN_CHECK(database().run("delete from answers where made_ms <= :oldest", {oldest_kept()}));
    auto values = place_;
    values.insert(values.end(),
                  {digest_of(request_), care::seal_for_provider(caller_.provider, kSealedAs, format_answer(answer)),
                   ms_of(caller_.now)});
    TILLSYN_CHECK(database().run(
        "insert into answers (issuer, person, route, key, digest, sealed, made_ms) values (:issuer, :person, :route, "
        ":key, :digest, :sealed, :made)",
        values));
    return {};
  }

 private:
  static std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
  std::int64_t oldest_kept() const { return ms_of(caller_.now - kKeyLife); }
  store::Database& database() { return caller_.provider.database; }

  const Caller& caller_;
  const ApiRequest& request_;
  std::vector<store::Value> place_;
};

ApiResponse key_problem(const Error& error) {
  return error.reason == "key_reused" ? http::problem(422, error.reason, error.message) : http::problem(error);
}

}  // namespace

ApiResponse once(const Caller& caller, const ApiRequest& request, const CallerHandler& handler) {
  if (!request.idempotency_key || request.method == "GET") return handler(caller, request);
  if (!is_key(*request.idempotency_key)) {
    return http::problem(400, "malformed", "Idempotency-Key must be 1 to 64 letters, digits, - or _.");
  }
  Kept kept(caller, request);
  auto before = kept.find();
  if (!before) return key_problem(before.error());
  if (*before) return **std::move(before);
  ApiResponse answer;
  const auto done = caller.provider.database.transaction([&]() -> Result<void> {
    answer = handler(caller, request);
    if (answer.status >= 300) return refused("not_done", "nothing of it is kept");
    return kept.keep(answer);
  });
  if (done) return answer;
  // Judged once more by itself: of what is refused only the refusal's own entry is kept.
  return answer.status >= 300 ? handler(caller, request) : http::problem(done.error());
}

}  // namespace tillsyn::api
