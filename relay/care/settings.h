#pragma once

#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// What the municipality's system administrator has settled for a provider. Each change is in the log, with who.
struct Settings {
  bool takes_protected = false;  // residents with protected identity may be entered (TEN-3)
};

// {"protected_residents":"refused"|"taken"}, and back.
Json settings_json(const Settings& settings);
Result<Settings> read_settings(const Json& value);

Result<Settings> settings(Provider& provider);

// Entered as `setting_changed` when it is a change. Failures are the store's.
Result<void> put_settings(Provider& provider, const Settings& settings, const orders::Person& by, Instant now);

}  // namespace tillsyn::care
