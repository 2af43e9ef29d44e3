#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/bundle.h"
#include "common/orders/names.h"
#include "common/orders/payloads.h"
#include "common/orders/root_list.h"

namespace tillsyn::orders {

// What a person's slot says.
struct PersonRights {
  bool revoked = false;       // it holds a revoke: the root list's granters lose their rights by it too
  std::vector<Right> rights;  // of the newest accepted grant
};

// Where the accepted grants of one provider are kept; OrderBook is one.
class RightsSource {
 public:
  virtual ~RightsSource() = default;
  virtual PersonRights rights_of(const Person& person) const = 0;
};

// Everything that decides what a person may do at one provider. Borrows all of it.
struct RightsContext {
  const Provider& provider;
  const RootList& root_list;
  const Bundle& bundle;
  const RightsSource& source;
};

// All rights of the person that count at `now`, root list's and granted, whatever the role; empty for a revoked one.
// What a session shows and the relay's reading permissions go by.
std::vector<Right> current_rights(const Person& person, const RightsContext& context, Instant now);

// Whether the person has `role` in `group` ("*": in every group; nullopt: in any) at `now`. The first that applies:
// refused "person_revoked", "unknown_issuer", "issuer_not_for_role"; waiting "no_grant"; refused "grant_expired",
// "group_not_in_scope".
Result<void> check_right(const Person& person, Role role, const std::optional<std::string>& group,
                         const RightsContext& context, Instant now);

}  // namespace tillsyn::orders
