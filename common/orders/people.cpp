#include <chrono>

#include "common/orders/codec.h"

// Bodies about people's rights: grant, revoke.
namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxRights = 32;
constexpr std::size_t kMaxGroups = 64;
constexpr std::chrono::days kMaxRightLife{400};

bool is_group_or_all(std::string_view text) { return text == "*" || is_slug(text); }

Right read_right(JsonReader& in) {
  Right out;
  out.role = read_role(in, "role");
  out.groups = read_texts(in, "groups", 1, kMaxGroups, is_group_or_all);
  out.from = read_time(in, "from");
  out.to = read_time(in, "to");
  if (!in.ok()) return out;
  if (out.groups.size() > 1 && scope_holds(out.groups, "*")) in.fail("groups", "names groups beside all of them");
  if (out.to <= out.from) in.fail("to", "is not after from");
  if (out.to - out.from > kMaxRightLife) in.fail("to", "is more than 400 days after from");
  return out;
}

Json right_json(const Right& right) {
  return {{"role", role_name(right.role)},
          {"groups", right.groups},
          {"from", time_json(right.from)},
          {"to", time_json(right.to)}};
}

}  // namespace

std::optional<Body> read_grant(JsonReader& in) {
  Grant out;
  out.person = read_person(in);
  out.rights = read_list(in, "rights", 1, kMaxRights, read_right);
  out.reason = read_filled_text(in, "reason", kMaxReasonBytes);
  return out;
}

void write(Json& out, const Grant& body) {
  out.update(person_json(body.person));
  out["rights"] = Json::array();
  for (const Right& right : body.rights) out["rights"].push_back(right_json(right));
  out["reason"] = body.reason;
}

std::optional<Body> read_revoke(JsonReader& in) {
  Revoke out;
  out.person = read_person(in);
  out.from = read_time(in, "from");
  out.reason = read_filled_text(in, "reason", kMaxReasonBytes);
  return out;
}

void write(Json& out, const Revoke& body) {
  out.update(person_json(body.person));
  out["from"] = time_json(body.from);
  out["reason"] = body.reason;
}

}  // namespace tillsyn::orders
