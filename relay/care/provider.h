#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"
#include "common/orders/order_book.h"
#include "common/orders/root_list.h"
#include "relay/care/history.h"
#include "relay/ledger/ledger.h"
#include "relay/store/store.h"

namespace tillsyn::care {

// Everything the relay keeps of one provider. What each folder's page does with it stands in orders.h, drafts.h,
// documents.h, needs.h, views.h, residents.h, supervisions.h and tonight.h.
// Threads: thread-bound.
struct Provider {
  // Opens its database and log and puts the orders it had accepted into the book again. Refused, "ledger_key", when
  // this relay's ledger key is not the one that the root list names.
  static Result<std::unique_ptr<Provider>> open(store::Store& store, const orders::Provider& listed, Instant now);

  std::string id;
  store::Database& database;
  std::unique_ptr<relay_ledger::Ledger> ledger;
  orders::OrderBook book;
  crypto::Secret wrapping_key;  // of the residents' keys
  History history;

  // Orders that a hub has received and could not judge yet: not said again until something has changed for it.
  std::map<std::string, std::set<orders::Hash>> waiting_at;

  // When the last document of a hub's was refused in the log: one a minute, so that a hub gone mad does not fill it.
  std::map<std::string, Instant> refused_of;
};

ledger::Person ledger_person(const orders::Person& person);

}  // namespace tillsyn::care
