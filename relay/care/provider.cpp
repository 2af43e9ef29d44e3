#include "relay/care/provider.h"

#include "common/orders/order.h"
#include "relay/store/key_file.h"

namespace tillsyn::care {
namespace {

// They were judged when they came; what counts now is that they stand.
Result<void> put_orders(Provider& provider) {
  TILLSYN_TRY(rows, provider.database.select<std::string>("select body from orders where slot is not null order by n"));
  TILLSYN_TRY(signs, provider.database.select<std::string>(
                         "select order_hash from documents where kind = 'countersign' order by seq"));
  std::set<std::string> countersigned;
  for (const auto& [hash] : signs) countersigned.insert(hash);
  for (const auto& [body] : rows) {
    auto order = orders::parse_order(body);
    if (!order) return Error{Code::kIo, "store_fault", "an order that was accepted cannot be read any more"};
    const orders::Hash hash = order->hash;
    provider.book.put(std::move(*order));
    if (countersigned.contains(to_base64url(hash))) provider.book.countersigned(hash);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Provider>> Provider::open(store::Store& store, const orders::Provider& listed, Instant now) {
  TILLSYN_TRY(key, store::ledger_key(store.folder(), listed.id));
  if (!(key.public_key() == listed.ledger_key.public_key)) {
    return refused("ledger_key", "the root list names another ledger key for this provider than this relay's");
  }
  TILLSYN_TRY(wrapping_key, store::provider_key(store.folder(), listed.id));
  TILLSYN_TRY(database, store.provider(listed.id));
  TILLSYN_TRY(ledger, relay_ledger::Ledger::open(*database, listed.id, listed.ledger_key.name, std::move(key), now));
  std::unique_ptr<Provider> provider(
      new Provider{listed.id, *database, std::move(ledger), {}, std::move(wrapping_key), History(*database), {}, {}});
  TILLSYN_CHECK(put_orders(*provider));
  return provider;
}

ledger::Person ledger_person(const orders::Person& person) { return {person.issuer, person.value}; }

}  // namespace tillsyn::care
