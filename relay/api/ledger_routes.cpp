#include <algorithm>

#include "relay/api/caller.h"
#include "relay/http/page.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;

ApiResponse checkpoint(const Caller& caller, const ApiRequest&) {
  const auto note = caller.provider.ledger->checkpoint_note();
  return note ? http::json_response({{"checkpoint", *note}}) : http::problem(note.error());
}

ApiResponse consistency(const Caller& caller, const ApiRequest& request) {
  const auto from = number_in(request, "from");
  const auto to = number_in(request, "to");
  if (!from) return http::problem(from.error());
  if (!to) return http::problem(to.error());
  const auto proof = caller.provider.ledger->consistency(*from, *to);
  return proof ? http::json_response({{"consistency", relay_ledger::proof_json(*proof)}})
               : http::problem(proof.error());
}

ApiResponse inclusion(const Caller& caller, const ApiRequest& request) {
  const auto size = number_in(request, "size");
  if (!size) return http::problem(size.error());
  const auto given = request.query.find("hash");
  const auto hash = from_base64url_exact<32>(given == request.query.end() ? std::string() : given->second);
  if (!hash) return http::problem(400, "malformed", "The hash must be 32 bytes in base64url.");
  const auto entry = caller.provider.ledger->find(*hash);
  if (!entry) return http::problem(entry.error());
  const auto proof = caller.provider.ledger->inclusion(entry->seq, *size);
  if (!proof) return http::problem(proof.error());
  return http::json_response(
      {{"entry", ledger::format_entry(*entry)}, {"seq", entry->seq}, {"inclusion", relay_ledger::proof_json(*proof)}});
}

Result<std::uint64_t> first_wanted(const ApiRequest& request, const http::PageAsked& asked) {
  TILLSYN_TRY(from, number_in(request, "from", 0));
  TILLSYN_TRY(after, http::number_after(asked));
  return after ? std::max(from, *after + 1) : from;
}

ApiResponse entries(const Caller& caller, const ApiRequest& request) {
  if (!caller.session.is_trust_machine && !caller.may({orders::Role::kLogReviewer})) return no_right();
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto from = first_wanted(request, *asked);
  if (!from) return http::problem(from.error());
  if (!caller.session.is_trust_machine) {
    const auto entered =
        caller.services.log_reads(caller.provider.id)
            .enter(*caller.provider.ledger, care::ledger_person(caller.session.person), *from, caller.now);
    if (!entered) return http::problem(entered.error());
  }
  const auto texts = caller.provider.ledger->entries(*from, asked->limit + 1);
  if (!texts) return http::problem(texts.error());
  http::Page page(*asked);
  std::uint64_t seq = *from;
  for (const auto& text : *texts) page.add(http::place_of_number(seq++), [&] { return Json(text); });
  return http::json_response(std::move(page).json());
}

}  // namespace

std::vector<http::Route> ledger_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/ledger/checkpoint", checkpoint, Machines::kAllowed),
          staff_route(services, "GET", "/v1/ledger/consistency", consistency, Machines::kAllowed),
          staff_route(services, "GET", "/v1/ledger/inclusion", inclusion, Machines::kAllowed),
          staff_route(services, "GET", "/v1/ledger/entries", entries, Machines::kAllowed)};
}

}  // namespace tillsyn::api
