#pragma once

#include <functional>
#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// Names and addresses, each resident's under a key of its own, and that under the provider's: destroying the key
// erases.

// What the app shows and checks against the consent's name_hash.
struct Resident {
  std::string resident;
  std::string group;
  std::string name;           // at most 256 bytes
  std::string address;        // at most 512 bytes
  std::string salt;           // base64url of 32 bytes
  bool is_protected = false;  // as it is entered: not kept with the name (see protection.h and settings.h)
};

// Names what is held of a resident now, as an HTTP entity tag (RFC 9110 §8.8.3), quotes and all; another content has
// another. Nothing can be guessed from it by one who has not the salt.
std::string entity_tag(const Resident& resident);

// Reads {"group","name","address","salt"} (and "resident", if given, which must agree, and "protected").
Result<Resident> read_resident(const std::string& resident, const Json& value);

// Entered in the log as `resident_entered`, with who.
Result<void> put_resident(Provider& provider, const Resident& resident, const orders::Person& by, Instant now);

// kNotFound "no_resident".
Result<Resident> get_resident(Provider& provider, const std::string& resident);

// Those whom `may_see` lets through (of one who is protected it is asked so), by their ids: at most `limit` from after
// `after` on.
Result<std::vector<Resident>> list_residents(
    Provider& provider, const std::string& after, std::size_t limit,
    const std::function<bool(const std::string& group, bool is_protected)>& may_see);

// Encrypts a text under the resident's key, which is made if there is none, and back. `context` binds it to its use.
Result<std::string> seal_for(Provider& provider, const std::string& resident, const std::string& context,
                             const std::string& text);
Result<std::string> open_of(Provider& provider, const std::string& resident, const std::string& context,
                            const std::string& sealed);

// The same under the provider's own key, for what belongs to no resident.
std::string seal_for_provider(const Provider& provider, const std::string& context, const std::string& text);
Result<std::string> open_of_provider(const Provider& provider, const std::string& context, const std::string& sealed);

}  // namespace tillsyn::care
