#include "relay/webhooks/queue.h"

#include <algorithm>
#include <iterator>

#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "relay/care/residents.h"

namespace tillsyn::webhooks {
namespace {

using Text = std::optional<std::string>;

constexpr const char* kSecretPrefix = "whsec_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxUrlBytes = 1024;
constexpr std::size_t kMaxCaBytes = 16 * 1024;
constexpr long kGone = 410;
constexpr std::chrono::days kKeepDone{30};
constexpr std::uint64_t kEveryLetter = (std::uint64_t{1} << 53) - 1;

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

std::string secret_context(const std::string& integration) { return "webhook secret " + integration; }

bool is_plain_https(const std::string& url) {
  const bool is_clean = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!is_clean || !url.starts_with("https://")) return false;
  const auto host = url.substr(8, url.find('/', 8) - 8);
  return !host.empty() && host.find('@') == std::string::npos;
}

std::string answer_text(const std::optional<long>& status) {
  return status ? "status " + std::to_string(*status) : "unreachable";
}

Result<void> bury(care::Provider& provider, const std::string& id, const std::string& answer, Instant now) {
  TILLSYN_CHECK(provider.database.run("update deliveries set dead_ms = :now where id = :id", {ms_of(now), id}));
  const Json details = {{"delivery", id}, {"answer", answer}};
  TILLSYN_CHECK(provider.ledger->append_seen({.what = "webhook_dead", .details = details}, now));
  return {};
}

}  // namespace

Result<Integration> read_integration(const Json& value) {
  JsonReader in(value, "integration");
  Integration out{to_base64url(crypto::random_array<16>()), in.text("url", kMaxUrlBytes),
                  in.optional_text("ca", kMaxCaBytes)};
  if (in.ok() && !is_plain_https(out.url)) in.fail("url", "must be https, without user or fragment");
  TILLSYN_CHECK(in.finish());
  return out;
}

Result<std::string> add(care::Provider& provider, const Integration& one, Instant now) {
  TILLSYN_TRY(held, list(provider));
  if (held.size() >= kMaxIntegrations) return Error{Code::kConflict, "too_many", "There are too many already."};
  const std::string secret = kSecretPrefix + to_base64(crypto::random_array<kSecretBytes>());
  TILLSYN_CHECK(provider.database.run(
      "insert into integrations (id, url, ca, sealed, made_ms) values (:id, :url, :ca, :sealed, :made)",
      {one.id, one.url, store::optional_value(one.ca),
       care::seal_for_provider(provider, secret_context(one.id), secret), ms_of(now)}));
  return secret;
}

Result<std::vector<Integration>> list(care::Provider& provider) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, Text>(
                        "select id, url, ca from integrations where ended_ms is null order by id")));
  std::vector<Integration> out;
  for (auto& [id, url, ca] : rows) out.push_back({id, url, ca});
  return out;
}

Result<void> end(care::Provider& provider, const std::string& id, Instant now) {
  TILLSYN_TRY(changed,
              provider.database.run("update integrations set ended_ms = :now where id = :id and ended_ms is null",
                                    {ms_of(now), id}));
  if (changed == 0) return Error{Code::kNotFound, "no_integration", "There is no such system."};
  return {};
}

Result<void> enqueue(care::Provider& provider, const std::string& type, const Json& data, Instant now) {
  TILLSYN_TRY(all, list(provider));
  const Json body = {{"type", type}, {"timestamp", format_instant(now)}, {"data", data}};
  for (const Integration& one : all) {
    TILLSYN_CHECK(provider.database.run(
        "insert into deliveries (n, id, integration, body, made_ms, tries, next_ms) values ((select coalesce(max(n), "
        "0) + "
        "1 from deliveries), :id, :integration, :body, :made, 0, :next)",
        {"msg_" + to_base64url(crypto::random_array<16>()), one.id, body.dump(), ms_of(now), ms_of(now)}));
  }
  return {};
}

Result<std::vector<Delivery>> due(care::Provider& provider, Instant now) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, std::string, Text, std::string, std::string>(
                        "select d.id, i.id, i.url, i.ca, i.sealed, d.body from deliveries d join integrations i on "
                        "i.id = d.integration where d.done_ms is null and d.dead_ms is null and i.ended_ms is null "
                        "and d.next_ms <= :now order by d.n",
                        {ms_of(now)})));
  std::vector<Delivery> out;
  for (const auto& [id, integration, url, ca, sealed, body] : rows) {
    const bool has_one = std::any_of(out.begin(), out.end(), [&](const auto& d) { return d.to.id == integration; });
    if (has_one) continue;
    TILLSYN_TRY(secret, care::open_of_provider(provider, secret_context(integration), sealed));
    out.push_back({id, {integration, url, ca}, std::move(secret), body});
  }
  return out;
}

Result<void> tried(care::Provider& provider, const std::string& id, const std::optional<long>& status, Instant now) {
  const std::string answer = answer_text(status);
  if (status && *status >= 200 && *status < 300) {
    TILLSYN_CHECK(provider.database.run(
        "update deliveries set done_ms = :now, tries = tries + 1, answer = :answer where id = :id",
        {ms_of(now), answer, id}));
    TILLSYN_CHECK(provider.database.run("delete from deliveries where done_ms < :old", {ms_of(now - kKeepDone)}));
    return {};
  }
  TILLSYN_TRY(row, provider.database.select_one<std::int64_t>("select tries from deliveries where id = :id", {id}));
  const auto before = row ? static_cast<std::size_t>(std::get<0>(*row)) : std::size(kRetries);
  const bool is_last = before >= std::size(kRetries) || status == kGone;
  const Instant next = is_last ? now : now + kRetries[before];
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider.database.run(
        "update deliveries set next_ms = :next, tries = tries + 1, answer = :answer where id = :id",
        {ms_of(next), answer, id}));
    return is_last ? bury(provider, id, answer, now) : Result<void>();
  });
}

Result<std::vector<DeadLetter>> dead_letters(care::Provider& provider, std::optional<std::uint64_t> before,
                                             std::size_t limit) {
  TILLSYN_TRY(
      rows,
      (provider.database.select<std::int64_t, std::string, std::string, std::string, std::int64_t, std::int64_t, Text>(
          "select n, id, integration, body, made_ms, tries, answer from deliveries where dead_ms is not "
          "null and n < :before order by n desc limit :limit",
          {static_cast<std::int64_t>(before.value_or(kEveryLetter)), static_cast<std::int64_t>(limit)})));
  std::vector<DeadLetter> out;
  for (const auto& [n, id, integration, body, made, tries, answer] : rows) {
    out.push_back({static_cast<std::uint64_t>(n),
                   {{"id", id},
                    {"integration", integration},
                    {"body", Json::parse(body, nullptr, false)},
                    {"made", format_instant(instant_of(made))},
                    {"tries", tries},
                    {"answer", answer ? Json(*answer) : Json()}}});
  }
  return out;
}

Result<void> send_again(care::Provider& provider, const std::string& id, Instant now) {
  TILLSYN_TRY(changed, provider.database.run(
                           "update deliveries set dead_ms = null, tries = 0, next_ms = :now where id = :id and dead_ms "
                           "is not null",
                           {ms_of(now), id}));
  if (changed == 0) return Error{Code::kNotFound, "no_delivery", "There is no such dead letter."};
  return {};
}

Result<std::string> signature(const std::string& secret, const std::string& id, std::int64_t timestamp,
                              const std::string& body) {
  if (!secret.starts_with(kSecretPrefix)) return malformed("secret", "a webhook secret begins with whsec_");
  TILLSYN_TRY(key, from_base64(std::string_view(secret).substr(6)));
  const std::string text = id + "." + std::to_string(timestamp) + "." + body;
  return "v1," + to_base64(crypto::hmac_sha256(key, view_of(text)));
}

}  // namespace tillsyn::webhooks
