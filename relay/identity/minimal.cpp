#include "relay/identity/minimal.h"

#include <algorithm>
#include <array>

#include "common/base/bytes.h"
#include "common/base/json.h"

namespace tillsyn::identity {
namespace {

constexpr std::array<std::string_view, 23> kPersonal = {"name",
                                                        "given_name",
                                                        "family_name",
                                                        "middle_name",
                                                        "nickname",
                                                        "preferred_username",
                                                        "profile",
                                                        "picture",
                                                        "website",
                                                        "email",
                                                        "email_verified",
                                                        "gender",
                                                        "birthdate",
                                                        "zoneinfo",
                                                        "locale",
                                                        "phone_number",
                                                        "phone_number_verified",
                                                        "address",
                                                        "https://id.oidc.se/claim/personalIdentityNumber",
                                                        "https://id.oidc.se/claim/coordinationNumber",
                                                        "https://id.oidc.se/claim/birthGivenName",
                                                        "https://id.oidc.se/claim/birthFamilyName",
                                                        "https://id.oidc.se/claim/placeOfbirth"};

bool is_personal(const std::string& claim) {
  return std::find(kPersonal.begin(), kPersonal.end(), claim) != kPersonal.end();
}

}  // namespace

Result<void> check_minimal(std::string_view id_token, const std::string& person_claim) {
  const auto begin = id_token.find('.');
  const auto end = id_token.rfind('.');
  if (begin == std::string_view::npos || end <= begin) return malformed("bad_id_token", "It is no ID token.");
  TILLSYN_TRY(bytes, from_base64url(id_token.substr(begin + 1, end - begin - 1)));
  TILLSYN_TRY(claims, parse_json(text_of(bytes)));
  if (!claims.is_object()) return malformed("bad_id_token", "It holds no claims.");
  for (const auto& [claim, value] : claims.items()) {
    if (claim == person_claim || !is_personal(claim)) continue;
    return refused("too_many_claims", "The identity provider tells more of you than who you are (" + claim +
                                          "), which would be kept: it is to be set to leave that out.");
  }
  return {};
}

}  // namespace tillsyn::identity
