#include "common/orders/rights.h"

#include <algorithm>

#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

bool is_revoked(const Person& person, const PersonRights& held, const RightsContext& context, Instant now) {
  return held.revoked || context.bundle.is_person_revoked(person, now);
}

// The root list's granters have their rights in every group for as long as the root list counts.
std::vector<Right> all_rights(const Person& person, const PersonRights& held, const RightsContext& context) {
  std::vector<Right> out = held.rights;
  for (const Granter& granter : context.provider.granters) {
    if (granter.person != person) continue;
    out.push_back({granter.role, {"*"}, Instant(), context.root_list.expires_at});
  }
  return out;
}

bool is_current(const Right& right, Instant now) { return right.from <= now && now < right.to; }

bool covers(const Right& right, const std::optional<std::string>& group) {
  return !group || scope_holds(right.groups, *group);
}

// Why none of the rights in the role will do.
Error lacking(const std::vector<Right>& rights, Instant now) {
  const auto any = [&](auto is) { return std::any_of(rights.begin(), rights.end(), is); };
  if (any([&](const Right& right) { return is_current(right, now); })) return refuse("group_not_in_scope");
  if (any([&](const Right& right) { return right.to <= now; })) return refuse("grant_expired");
  return wait_for("no_grant");
}

}  // namespace

std::vector<Right> current_rights(const Person& person, const RightsContext& context, Instant now) {
  const PersonRights held = context.source.rights_of(person);
  const Issuer* issuer = context.root_list.issuer(person.issuer);
  const bool is_listed = issuer != nullptr && context.provider.has_issuer(person.issuer);
  if (!is_listed || is_revoked(person, held, context, now)) return {};
  std::vector<Right> out = all_rights(person, held, context);
  std::erase_if(out, [&](const Right& right) { return !is_current(right, now) || !issuer->may_have(right.role); });
  return out;
}

Result<void> check_right(const Person& person, Role role, const std::optional<std::string>& group,
                         const RightsContext& context, Instant now) {
  const PersonRights held = context.source.rights_of(person);
  if (is_revoked(person, held, context, now)) return refuse("person_revoked");
  const Issuer* issuer = context.root_list.issuer(person.issuer);
  if (issuer == nullptr || !context.provider.has_issuer(person.issuer)) return refuse("unknown_issuer");
  if (!issuer->may_have(role)) return refuse("issuer_not_for_role");
  std::vector<Right> rights = all_rights(person, held, context);
  std::erase_if(rights, [&](const Right& right) { return right.role != role; });
  const auto will_do = [&](const Right& right) { return is_current(right, now) && covers(right, group); };
  if (std::any_of(rights.begin(), rights.end(), will_do)) return {};
  return lacking(rights, now);
}

}  // namespace tillsyn::orders
