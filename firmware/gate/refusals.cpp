#include "firmware/gate/refusals.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tillsyn::gate {
namespace {

constexpr std::array<std::string_view, 25> kBeforeSignatures{
    "no_assignment",    "malformed",         "unknown_format", "type_not_supported", "wrong_provider",
    "wrong_hub",        "root_list_expired", "bundle_expired", "bundle_missing",     "clock_untrusted",
    "hub_revoked",      "wrong_role",        "not_two_people", "bad_signature",      "bad_id_token",
    "wrong_device_key", "unknown_issuer",    "revoked_key",    "unknown_kid",        "retired_key",
    "wrong_audience",   "acr_too_low",       "nonce_mismatch", "store_fault",        "person_mismatch"};

bool is_signer_proven(std::string_view reason) {
  return std::ranges::find(kBeforeSignatures, reason) == kBeforeSignatures.end();
}

}  // namespace

orders::Event event_about(const char* kind, const orders::Order& order, const std::string& reason) {
  orders::Event event;
  event.kind = kind;
  event.order = order.hash;
  if (!reason.empty()) event.reason = reason;
  if (const std::string* resident = orders::resident_of(order.payload.body)) event.resident = *resident;
  if (const auto* view = std::get_if<orders::View>(&order.payload.body)) event.camera = view->camera;
  if (const auto* outcome = std::get_if<orders::Outcome>(&order.payload.body)) event.window = outcome->window;
  const auto& signers = order.payload.common.signers;
  if (is_signer_proven(reason) && !signers.empty()) event.who = signers.front().person;
  return event;
}

std::string signer_key(const orders::Event& event) {
  return event.who ? event.who->issuer + '\n' + event.who->value : std::string();
}

}  // namespace tillsyn::gate
