#include "relay/api/caller.h"
#include "relay/api/desks.h"
#include "relay/care/views.h"

namespace tillsyn::api {

namespace {

Result<sessions::Viewer> viewer_of(Services& services, const Result<identity::Session>& found) {
  TILLSYN_TRY(session, found);
  if (session.is_trust_machine) return refused("no_session", "Only staff can look.");
  TILLSYN_TRY(provider, services.provider(session.provider));
  if (rights_now(services, *provider, session).empty())
    return refused("no_grant", "You have no right at this provider any more.");
  return sessions::Viewer{session.provider, session.person.issuer, session.person.value, session.expires_at};
}

}  // namespace

Result<sessions::Viewer> ViewDesk::authenticate(const std::string& token) {
  return viewer_of(services_, services_.sessions().authenticate(token, services_.now()));
}

Result<sessions::Viewer> ViewDesk::look_up(const std::string& token) {
  return viewer_of(services_, services_.sessions().look_up(token, services_.now()));
}

Result<sessions::EnteredView> ViewDesk::accept_view(const sessions::Viewer& viewer, const std::string& order) {
  TILLSYN_TRY(provider, services_.provider(viewer.provider));
  TILLSYN_TRY(trusted, services_.trust().trusted());
  TILLSYN_TRY(view, care::accept_view(*provider, trusted, order, {viewer.issuer, viewer.person}, services_.now()));
  return sessions::EnteredView{to_base64url(view.order.hash),
                               viewer.provider,
                               *orders::hub_of(view.order.payload.body),
                               *orders::resident_of(view.order.payload.body),
                               view.order.text,
                               view.entry.seq,
                               format_instant(view.entry.time)};
}

Result<std::string> ViewDesk::offer(const sessions::EnteredView& view, const Json& status) {
  TILLSYN_TRY(provider, services_.provider(view.provider));
  TILLSYN_TRY(trusted, services_.trust().trusted());
  return care::make_offer(*provider, trusted, view.order, view.seq, status);
}

Result<void> ViewDesk::saw(const sessions::EnteredView& view, const std::string& what, const std::string& reason) {
  TILLSYN_TRY(provider, services_.provider(view.provider));
  TILLSYN_TRY(hash, from_base64url_exact<32>(view.hash));
  TILLSYN_TRY(order, orders::parse_order(view.order));
  std::vector<ledger::Person> who;
  for (const auto& signer : order.payload.common.signers) who.push_back(care::ledger_person(signer.person));
  TILLSYN_CHECK(provider->ledger->append_seen(
      {.what = what, .hub = view.hub, .resident = view.resident, .who = std::move(who), .hash = hash, .reason = reason},
      services_.now()));
  return {};
}

}  // namespace tillsyn::api
