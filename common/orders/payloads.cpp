#include "common/orders/payloads.h"

#include <algorithm>
#include <array>

#include "common/orders/codec.h"
#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxPayloadDepth = 8;

struct TypeRow {
  std::string_view name;
  ReadBody read;
};

// In the sequence of Body's alternatives, then of OutcomeKind's, test-view last: type_name counts on it.
constexpr std::array kTypes = {
    TypeRow{"grant", read_grant},
    TypeRow{"revoke", read_revoke},
    TypeRow{"device", read_device},
    TypeRow{"assignment", read_assignment},
    TypeRow{"acceptance", read_acceptance},
    TypeRow{"release", read_release},
    TypeRow{"consent", read_consent},
    TypeRow{"schedule", read_schedule},
    TypeRow{"pause", read_pause},
    TypeRow{"resume", read_resume},
    TypeRow{"view", read_view},
    TypeRow{"completed", read_outcome<OutcomeKind::kCompleted>},
    TypeRow{"not-seen", read_outcome<OutcomeKind::kNotSeen>},
    TypeRow{"unable", read_outcome<OutcomeKind::kUnable>},
    TypeRow{"visit-taken", read_outcome<OutcomeKind::kVisitTaken>},
    TypeRow{"pause-known", read_outcome<OutcomeKind::kPauseKnown>},
    TypeRow{"test-view", read_test_view},
};
constexpr std::size_t kFirstOutcome = std::variant_size_v<Body> - 1;

Signer read_signer(JsonReader& in) {
  Person person = read_person(in);
  return {std::move(person), read_role(in, "role")};
}

Common read_common(JsonReader& in, bool standing) {
  Common out;
  in.integer("format", kOrderFormat, kOrderFormat);
  out.provider = read_name(in, "provider", is_slug);
  out.id = read_name(in, "id", is_random_id);
  out.signed_at = read_time(in, "signed_at");
  out.signers = read_list(in, "signers", 1, 2, read_signer);
  if (standing) out.standing = Standing{in.integer("version", 1, kMaxInteger), read_optional_hash(in, "replaces")};
  return out;
}

Json signers_json(const std::vector<Signer>& signers) {
  Json out = Json::array();
  for (const Signer& signer : signers) {
    Json item = person_json(signer.person);
    item["role"] = role_name(signer.role);
    out.push_back(std::move(item));
  }
  return out;
}

void write_common(Json& out, const Common& common) {
  out["format"] = kOrderFormat;
  out["provider"] = common.provider;
  out["id"] = common.id;
  out["signed_at"] = time_json(common.signed_at);
  out["signers"] = signers_json(common.signers);
  if (!common.standing) return;
  out["version"] = common.standing->version;
  out["replaces"] = or_null(common.standing->replaces, hash_json);
}

void check_pause(JsonReader& in, const Common& common, const Pause& pause) {
  if (pause.until <= common.signed_at) in.fail("until", "is not after signed_at");
  if (pause.until - common.signed_at > kLongestPause) in.fail("until", "is more than 30 days after signed_at");
}

Result<Payload> read_payload(const Json& json, ReadBody read) {
  JsonReader in(json, "payload");
  in.text("type", 32);
  auto body = read(in);
  const bool standing = body && is_standing(*body);
  Common common = read_common(in, standing);
  const auto* pause = body ? std::get_if<Pause>(&*body) : nullptr;
  if (pause != nullptr && in.ok()) check_pause(in, common, *pause);
  TILLSYN_CHECK(finish(in));
  return Payload{std::move(common), std::move(*body)};
}

// The member `member` of whichever body has one.
#define TILLSYN_MEMBER_OF(body, member)                                 \
  std::visit(                                                           \
      [](const auto& value) -> const std::string* {                     \
        if constexpr (requires { value.member; }) return &value.member; \
        return nullptr;                                                 \
      },                                                                \
      body)

}  // namespace

Result<Payload> parse_payload(std::string_view text) {
  TILLSYN_TRY(json, parse_format_one(text, {.max_bytes = kMaxPayloadBytes, .max_depth = kMaxPayloadDepth}));
  if (!json.contains("type") || !json["type"].is_string()) return malformed("malformed", "payload.type is not a text");
  const auto& type = json["type"].get_ref<const std::string&>();
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& item) { return item.name == type; });
  if (row == kTypes.end()) return refuse("type_not_supported");
  return read_payload(json, row->read);
}

std::string format_payload(const Payload& payload) {
  Json out = {{"type", type_name(payload.body)}};
  write_common(out, payload.common);
  std::visit([&](const auto& body) { write(out, body); }, payload.body);
  return canonical_json(out);
}

const char* type_name(const Body& body) {
  const auto* view = std::get_if<View>(&body);
  if (view != nullptr && view->is_test) return kTypes.back().name.data();
  const auto* outcome = std::get_if<Outcome>(&body);
  const std::size_t row = outcome == nullptr ? body.index() : kFirstOutcome + static_cast<std::size_t>(outcome->kind);
  return kTypes.at(row).name.data();
}

bool is_act(const Body& body) { return std::holds_alternative<View>(body); }
bool is_standing(const Body& body) { return !is_act(body) && !std::holds_alternative<Outcome>(body); }

bool is_closing(const Body& body) {
  if (const auto* consent = std::get_if<Consent>(&body)) return !consent->terms;
  return std::holds_alternative<Pause>(body) || std::holds_alternative<Revoke>(body) ||
         std::holds_alternative<Release>(body);
}

bool is_long_pause(const Payload& payload) {
  const auto* pause = std::get_if<Pause>(&payload.body);
  return pause != nullptr && pause->until - payload.common.signed_at > kLongestPauseByOne;
}

const std::string* hub_of(const Body& body) { return TILLSYN_MEMBER_OF(body, hub); }
const std::string* resident_of(const Body& body) { return TILLSYN_MEMBER_OF(body, resident); }
const std::string* home_of(const Body& body) { return TILLSYN_MEMBER_OF(body, home); }
const std::string* group_of(const Body& body) { return TILLSYN_MEMBER_OF(body, group); }

}  // namespace tillsyn::orders
