#include "common/orders/judge.h"

#include <array>

#include "common/base/bytes.h"
#include "common/orders/bindings.h"
#include "common/orders/proof.h"

namespace tillsyn::orders {
namespace {

// A set of roles, any of which will do; empty: nobody signs there.
class AnyOf {
 public:
  template <typename... Roles>
  explicit constexpr AnyOf(Roles... roles) : bits_((0u | ... | (1u << static_cast<unsigned>(roles)))) {}

  constexpr bool has(Role role) const { return (bits_ >> static_cast<unsigned>(role) & 1u) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  unsigned bits_;
};

struct SigningRule {
  std::string_view type;
  AnyOf first;
  AnyOf second;
};

constexpr AnyOf kOperator{Role::kOperator};
constexpr AnyOf kPlanner{Role::kPlanner};
constexpr AnyOf kCareManager{Role::kCareManager};
constexpr AnyOf kPlannerOrCareManager{Role::kPlanner, Role::kCareManager};
constexpr AnyOf kManager{Role::kManager};
constexpr AnyOf kRightsAdmin{Role::kRightsAdmin};
constexpr AnyOf kInstaller{Role::kInstaller};
constexpr AnyOf kTechnician{Role::kTechnician};
constexpr AnyOf kNobody{};

constexpr std::string_view kWithdrawal = "consent withdrawn";
constexpr std::string_view kLongPause = "pause over 72 h";

// Who signs what (PROTOCOL.md, "Order"); where two sign, they are two persons.
constexpr std::array kSigningRules = {
    SigningRule{"grant", kManager, kRightsAdmin},
    SigningRule{"revoke", kRightsAdmin, kNobody},
    SigningRule{"device", kTechnician, kNobody},
    SigningRule{"assignment", kInstaller, kNobody},
    SigningRule{"acceptance", kInstaller, kNobody},
    SigningRule{"release", kInstaller, kCareManager},
    SigningRule{"consent", kCareManager, kPlannerOrCareManager},
    SigningRule{kWithdrawal, kCareManager, kNobody},
    SigningRule{"schedule", kPlanner, kPlannerOrCareManager},
    SigningRule{"pause", kPlannerOrCareManager, kNobody},
    SigningRule{kLongPause, kPlannerOrCareManager, kPlannerOrCareManager},
    SigningRule{"resume", kPlannerOrCareManager, kNobody},
    SigningRule{"view", kOperator, kNobody},
    SigningRule{"test-view", kInstaller, kNobody},
    SigningRule{"completed", kOperator, kNobody},
    SigningRule{"not-seen", kOperator, kNobody},
    SigningRule{"unable", kOperator, kNobody},
    SigningRule{"visit-taken", kOperator, kNobody},
    SigningRule{"pause-known", kOperator, kNobody},
};

std::string_view rule_name(const Payload& payload) {
  const auto* consent = std::get_if<Consent>(&payload.body);
  if (consent != nullptr && !consent->terms) return kWithdrawal;
  return is_long_pause(payload) ? kLongPause : type_name(payload.body);
}

const SigningRule& rule_for(const Payload& payload) {
  const std::string_view type = rule_name(payload);
  for (const SigningRule& rule : kSigningRules) {
    if (rule.type == type) return rule;
  }
  return kSigningRules.front();  // not reached: the table has every type
}

Result<void> check_signers(const Payload& payload) {
  const SigningRule& rule = rule_for(payload);
  const auto& signers = payload.common.signers;
  const bool needs_two = !rule.second.empty();
  if (needs_two && signers.size() < 2) return refuse("not_two_people");
  if (!needs_two && signers.size() > 1) return refuse("wrong_role", "one person signs this");
  if (!rule.first.has(signers[0].role)) return refuse("wrong_role");
  if (!needs_two) return {};
  if (!rule.second.has(signers[1].role)) return refuse("wrong_role");
  if (same_person(signers[0].person, signers[1].person)) return refuse("not_two_people");
  return {};
}

Result<void> check_trust(const JudgeContext& context) {
  if (!check_current(context.root_list, context.now).ok()) return wait_for("root_list_expired");
  if (!check_current(context.bundle, context.now).ok()) return wait_for("bundle_expired");
  return {};
}

Result<void> check_hub(const Body& body, const JudgeContext& context) {
  const std::string* hub = hub_of(body);
  const bool is_release = std::holds_alternative<Release>(body);
  if (hub != nullptr && !is_release && context.bundle.is_hub_revoked(*hub)) return refuse("hub_revoked");
  return {};
}

Result<void> check_device_key(const Body& body) {
  const auto* device = std::get_if<Device>(&body);
  if (device != nullptr && device->device_key.thumbprint_text() != device->hub) return refuse("wrong_device_key");
  return {};
}

Result<void> check_signature(const Order& order, std::size_t index, const Provider& provider,
                             const JudgeContext& context) {
  const StaffSignature& signature = order.signatures[index];
  if (!signature.key.verify(signed_bytes("order", view_of(order.payload_text)), signature.sig)) {
    return refuse("bad_signature");
  }
  const std::string nonce = staff_nonce(signature.key.thumbprint(), signature.salt);
  TILLSYN_TRY(identity, check_id_token(signature.id_token, nonce, provider, context.root_list, context.bundle));
  if (identity.person != order.payload.common.signers[index].person) return refuse("person_mismatch");
  const Issuer& issuer = *context.root_list.issuer(identity.person.issuer);
  if (is_act(order.payload.body)) return check_fresh(identity, issuer, context.now);
  const Instant signed_at = order.payload.common.signed_at;
  TILLSYN_CHECK(check_signed_at(identity, issuer, signed_at, context.now));
  // What closes acts however late it comes; versions keep an old one from coming back.
  return is_closing(order.payload.body) ? Result<void>() : check_in_time(signed_at, context.now);
}

// The groups in which every signer must have the role; nothing stands for "in any".
std::vector<std::optional<std::string>> needed_groups(const Body& body) {
  if (const std::string* group = group_of(body)) return {*group};
  std::vector<std::optional<std::string>> out;
  if (const auto* grant = std::get_if<Grant>(&body)) {
    for (const Right& right : grant->rights) out.insert(out.end(), right.groups.begin(), right.groups.end());
  }
  if (out.empty()) out.emplace_back();
  return out;
}

Result<void> check_rights(const Payload& payload, const Provider& provider, const JudgeContext& context) {
  const RightsContext rights{provider, context.root_list, context.bundle, context.rights};
  for (const Signer& signer : payload.common.signers) {
    for (const auto& group : needed_groups(payload.body)) {
      TILLSYN_CHECK(check_right(signer.person, signer.role, group, rights, context.now));
    }
  }
  return {};
}

Result<void> check_named_bundle(const Body& body, const JudgeContext& context) {
  const auto* view = std::get_if<View>(&body);
  if (view != nullptr && context.bundle.version < view->bundle) return wait_for("bundle_older");
  return {};
}

Result<void> check_order(const Order& order, const JudgeContext& context) {
  const Payload& payload = order.payload;
  const Provider* provider = context.root_list.provider(context.provider);
  if (provider == nullptr || payload.common.provider != context.provider) return refuse("wrong_provider");
  TILLSYN_CHECK(check_trust(context));
  TILLSYN_CHECK(check_hub(payload.body, context));
  TILLSYN_CHECK(check_signers(payload));
  TILLSYN_CHECK(check_device_key(payload.body));
  for (std::size_t i = 0; i < order.signatures.size(); ++i) {
    TILLSYN_CHECK(check_signature(order, i, *provider, context));
  }
  TILLSYN_CHECK(check_rights(payload, *provider, context));
  return check_named_bundle(payload.body, context);
}

}  // namespace

Verdict judge(const Order& order, const JudgeContext& context) { return verdict_of(check_order(order, context)); }

}  // namespace tillsyn::orders
