#include <spdlog/spdlog.h>

#include "common/orders/device_documents.h"
#include "common/orders/refusals.h"
#include "relay/api/desks.h"
#include "relay/care/documents.h"
#include "relay/care/needs.h"

namespace tillsyn::api {
namespace {

// Whether the status names something older than what is held, or nothing at all.
bool lacks_root_list(const Json& status, const orders::RootList& held) {
  if (!status.is_object()) return true;
  const auto version = status.find("root_list");
  return version == status.end() || !version->is_number_integer() || version->get<std::int64_t>() < held.version;
}

bool lacks_bundle(const Json& status, const orders::Bundle& held) {
  const auto bundle = status.is_object() ? status.find("bundle") : status.end();
  if (!status.is_object() || bundle == status.end() || !bundle->is_object()) return true;
  const auto number = [&](const char* name) {
    const auto member = bundle->find(name);
    return member != bundle->end() && member->is_number_integer() ? member->get<std::int64_t>() : std::int64_t{0};
  };
  return orders::BundleVersion{number("root_list_version"), number("counter")} < held.version;
}

std::optional<std::string> hub_named_in(const Json& link_key_envelope) {
  const auto request = orders::open_link_key(link_key_envelope.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!request) return std::nullopt;
  return request->device_key.thumbprint_text();
}

}  // namespace

Result<hubs::Trust> HubDesk::trust() {
  return hubs::Trust{services_.trust().root_list_text(), services_.trust().bundle_text()};
}

Result<hubs::Hub> HubDesk::find(ByteView link_key) {
  TILLSYN_TRY(hub, services_.enrolment().find(link_key));
  const auto& bundle = services_.trust().bundle();
  if (bundle && bundle->is_hub_revoked(hub.id)) return orders::refuse("hub_revoked");
  return hubs::Hub{hub.id, hub.provider};
}

Result<std::vector<hubs::Hub>> HubDesk::enrolled() {
  TILLSYN_TRY(all, services_.enrolment().all());
  const auto& bundle = services_.trust().bundle();
  std::vector<hubs::Hub> out;
  for (const auto& hub : all) {
    if (!bundle || !bundle->is_hub_revoked(hub.id)) out.push_back({hub.id, hub.provider});
  }
  return out;
}

Result<hubs::Hub> HubDesk::enrol(const std::string& code, const Json& link_key_envelope, ByteView link_key) {
  const auto named = hub_named_in(link_key_envelope);
  const auto asked_at = named ? services_.enrolment().provider_of(*named) : std::nullopt;
  const auto enrolled = services_.enrolment().enrol(code, link_key_envelope, link_key, services_.now());
  if (enrolled) {
    TILLSYN_TRY(provider, services_.provider(enrolled->provider));
    if (enrolled->is_new) {
      TILLSYN_CHECK(provider->ledger->append_seen({.what = "enrolled", .hub = enrolled->id}, services_.now()));
    }
    services_.listener().enrolled(enrolled->id, enrolled->provider);
    return hubs::Hub{enrolled->id, enrolled->provider};
  }
  const auto provider = asked_at ? services_.provider(*asked_at) : Result<care::Provider*>(enrolled.error());
  const std::string reason = enrolled.error().reason;
  if (provider) {
    TILLSYN_CHECK(
        services_.refused_enrolments((*provider)->id)
            .enter(*(*provider)->ledger, {.what = "enrol_refused", .hub = *named, .reason = reason}, services_.now()));
  } else {
    spdlog::warn("an enrolment was refused of which no provider knows: {}", reason);
  }
  return enrolled.error();
}

Result<hubs::Work> HubDesk::work_for(const hubs::Hub& hub, const Json& status) {
  hubs::Work work;
  const auto& trust = services_.trust();
  if (trust.root_list() && lacks_root_list(status, *trust.root_list())) work.trust.root_list = trust.root_list_text();
  if (trust.bundle() && lacks_bundle(status, *trust.bundle())) work.trust.bundle = trust.bundle_text();
  const auto provider = services_.provider(hub.provider);
  if (!provider) return work;
  TILLSYN_TRY(orders, care::orders_for(**provider, hub.id, status, services_.now()));
  TILLSYN_TRY(newest, care::newest_event(**provider, hub.id));
  work.orders = std::move(orders);
  work.events_acked = static_cast<std::uint64_t>(newest);
  const auto waiting = (*provider)->waiting_at.find(hub.id);
  work.has_waiting = waiting != (*provider)->waiting_at.end() && !waiting->second.empty();
  return work;
}

Result<std::uint64_t> HubDesk::record(const hubs::Hub& hub, const hubs::Report& report) {
  TILLSYN_TRY(provider, services_.provider(hub.provider));
  TILLSYN_TRY(enrolled, services_.enrolment().of(hub.id));
  bool changed = false;
  TILLSYN_CHECK(care::record_documents(*provider, hub.id, enrolled.device_key,
                                       {report.answers, report.receipts, report.countersigns, report.events},
                                       services_.now(), changed));
  if (changed) services_.listener().orders_changed(hub.provider, std::vector{hub.id});
  TILLSYN_TRY(newest, care::newest_event(*provider, hub.id));
  return static_cast<std::uint64_t>(newest);
}

}  // namespace tillsyn::api
