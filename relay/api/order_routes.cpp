#include "common/orders/refusals.h"
#include "relay/api/caller.h"
#include "relay/care/drafts.h"
#include "relay/care/orders.h"
#include "relay/http/page.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;

constexpr std::size_t kMaxNoteBytes = 2000;

struct Posted {
  std::string order;
  std::optional<care::Note> note;
};

Result<care::Note> read_note(const Json& value) {
  JsonReader in(value, "note");
  const Bytes salt = in.bytes("salt", 32);
  care::Note out;
  out.text = in.text("text", kMaxNoteBytes);
  TILLSYN_CHECK(in.finish());
  std::copy(salt.begin(), salt.end(), out.salt.begin());
  return out;
}

Result<Posted> read_posted(const ApiRequest& request) {
  TILLSYN_TRY(body, body_of(request));
  JsonReader in(body, "request");
  Posted out{in.object("order").dump(), std::nullopt};
  const Json& note = in.any("note");
  TILLSYN_CHECK(in.finish());
  if (note.is_null()) return out;
  TILLSYN_TRY(read, read_note(note));
  out.note = std::move(read);
  return out;
}

ApiResponse accepted(const Caller& caller, const care::Accepted& accepted) {
  if (accepted.is_new) caller.services.listener().orders_changed(caller.provider.id, accepted.hubs);
  return http::json_response({{"hash", to_base64url(accepted.hash)},
                              {"entry", {{"seq", accepted.entry.seq}, {"time", format_instant(accepted.entry.time)}}}},
                             accepted.is_new ? 201 : 200);
}

ApiResponse not_accepted(const Caller& caller, const Error& error, const std::string& order) {
  if (error.code == Code::kConflict) {
    const Json holder = care::holder_of(caller.provider, order);
    return http::problem(409, error.reason, error.message, holder.is_null() ? Json::object() : Json{{"order", holder}});
  }
  return http::problem(error);
}

ApiResponse list_orders(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto after = http::number_after(*asked);
  if (!after) return http::problem(after.error());
  const auto items =
      care::order_items(caller.provider, static_cast<std::int64_t>(after->value_or(0)), asked->limit + 1, caller.now);
  if (!items) return http::problem(items.error());
  http::Page page(*asked);
  for (const Json& item : *items) page.add(http::place_of_number(item["n"].get<std::uint64_t>()), [&] { return item; });
  return http::json_response(std::move(page).json());
}

ApiResponse post_order(const Caller& caller, const ApiRequest& request) {
  const auto posted = read_posted(request);
  if (!posted) return http::problem(posted.error());
  const auto trusted = caller.services.trust().trusted();
  if (!trusted) return http::problem(trusted.error());
  const auto done =
      care::accept_order(caller.provider, *trusted, posted->order, posted->note, caller.session.person, caller.now);
  return done ? accepted(caller, *done) : not_accepted(caller, done.error(), posted->order);
}

Json draft_json(const care::Draft& draft) {
  return {{"id", draft.id},
          {"payload", draft.body["payload"]},
          {"signatures", draft.body["signatures"]},
          {"expires_at", format_instant(draft.expires_at)}};
}

std::string place_of(const care::Draft& draft) {
  return http::place_of_number(static_cast<std::uint64_t>(draft.expires_at.time_since_epoch().count())) + draft.id;
}

ApiResponse list_drafts(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto drafts = care::drafts_for(caller.provider, caller.session.person, caller.now);
  if (!drafts) return http::problem(drafts.error());
  http::Page page(*asked);
  for (const care::Draft& draft : *drafts) page.add(place_of(draft), [&] { return draft_json(draft); });
  return http::json_response(std::move(page).json());
}

ApiResponse post_draft(const Caller& caller, const ApiRequest& request) {
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto id = care::add_draft(caller.provider, *body, caller.session.person, caller.now);
  if (!id) return not_accepted(caller, id.error(), {});
  caller.services.listener().lists_changed(caller.provider.id);
  return http::json_response({{"id", *id}, {"expires_at", format_instant(caller.now + care::kDraftLife)}}, 201);
}

ApiResponse sign_draft(const Caller& caller, const ApiRequest& request) {
  const auto signature = body_of(request);
  if (!signature) return http::problem(signature.error());
  const auto trusted = caller.services.trust().trusted();
  if (!trusted) return http::problem(trusted.error());
  const auto done = care::sign_draft(caller.provider, *trusted, request.params.at("id"), *signature,
                                     caller.session.person, caller.now);
  if (!done) return not_accepted(caller, done.error(), {});
  if (*done) return accepted(caller, **done);
  ApiResponse signed_only;
  signed_only.status = 202;
  return signed_only;
}

ApiResponse delete_draft(const Caller& caller, const ApiRequest& request) {
  const auto done = care::delete_draft(caller.provider, request.params.at("id"), caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return no_content();
}

}  // namespace

std::vector<http::Route> order_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/orders", list_orders, Machines::kAllowed),
          staff_route(services, "POST", "/v1/orders", post_order),
          staff_route(services, "GET", "/v1/drafts", list_drafts),
          staff_route(services, "POST", "/v1/drafts", post_draft),
          staff_route(services, "POST", "/v1/drafts/{id}/signatures", sign_draft),
          staff_route(services, "DELETE", "/v1/drafts/{id}", delete_draft)};
}

}  // namespace tillsyn::api
