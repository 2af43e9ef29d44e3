#include "common/orders/refusals.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tillsyn::orders {
namespace {

struct Row {
  std::string_view reason;
  const char* sentence;
};

constexpr std::array kSentences = {
    Row{"malformed", "This is not in the form that was agreed; send it again from an up-to-date program."},
    Row{"unknown_format", "This is written in a newer format than is read here; update this program."},
    Row{"type_not_supported", "Orders of this type are not known here; update this program."},
    Row{"wrong_provider", "The order is for another provider; sign it at the right one."},
    Row{"wrong_hub", "The order is for another hub; sign it for this one."},
    Row{"wrong_resident", "The hub serves another resident; release it first, or choose the resident's own hub."},
    Row{"wrong_camera", "The assignment names no such camera; choose one that it names."},
    Row{"bad_signature", "The signature is not that of the key that is shown; sign again."},
    Row{"nonce_mismatch", "The login was made for another key; log in again and sign with the new key."},
    Row{"unknown_issuer", "The provider lists no such identity provider; log in by one that is listed."},
    Row{"unknown_kid",
        "The identity provider's key is not known yet; it will be judged when the next trust bundle has it."},
    Row{"retired_key", "The identity provider's key was not in use when the login was made; log in again."},
    Row{"revoked_key", "The identity provider's key has been revoked; log in again."},
    Row{"bad_id_token", "The proof of login is not valid; log in again."},
    Row{"wrong_audience", "The login was made for another application; log in here."},
    Row{"acr_too_low", "The login was not strong enough; log in with the stronger method."},
    Row{"auth_too_old", "The login is too old; log in again."},
    Row{"auth_in_future", "The time given lies in the future; check the computer's clock and log in again."},
    Row{"person_mismatch", "The person who logged in is not the one the order names as signer; sign as yourself."},
    Row{"person_revoked", "The signer's rights have been revoked; let somebody else sign."},
    Row{"no_grant", "The signer has not been granted this role; have it granted, or let somebody else sign."},
    Row{"grant_expired", "The signer's right has run out; have it renewed, or let somebody else sign."},
    Row{"issuer_not_for_role", "People of this identity provider may not have the role; let somebody else sign."},
    Row{"group_not_in_scope",
        "The group is not one the right covers or not the resident's; choose the right group or signer."},
    Row{"not_two_people", "Two different persons must sign; let a colleague sign as well."},
    Row{"wrong_role", "Orders of this type are signed in other roles; let the right people sign."},
    Row{"wrong_device_key", "The device key is not the one the hub is named for; read the hub's label again."},
    Row{"replayed", "This order has been used already; sign a new one."},
    Row{"unknown_challenge", "The order took too long to arrive; try again."},
    Row{"late", "The order was signed too long ago; sign it again."},
    Row{"version_gap", "An order that comes before this one has not arrived yet; it will be judged when it has."},
    Row{"slot_taken", "Somebody else's order came first; look at it and sign a new one."},
    Row{"superseded", "A newer order is in force; look at it and sign a new one if it is still needed."},
    Row{"wrong_predecessor", "The order replaces another than the one in force; look at that and sign a new one."},
    Row{"not_countersigned", "The assignment waits for the hub's button to be held for five seconds."},
    Row{"no_presence", "Hold the hub's button for five seconds, then try again within two minutes."},
    Row{"beyond_consent", "The schedule goes beyond what was consented to; change the schedule or ask for consent."},
    Row{"wrong_home", "The order is for another home of the resident's; sign it for this home."},
    Row{"no_ledger_entry", "The relay has not shown that it logged the order; try again and report it."},
    Row{"ledger_forked", "The relay has shown two different logs; report it at once."},
    Row{"ledger_older", "The relay has shown an older log than before; report it at once."},
    Row{"bundle_missing", "No trust bundle has arrived yet; it will be judged when one has."},
    Row{"bundle_expired", "The trust bundle has run out; it will be judged when a new one has arrived."},
    Row{"bundle_older", "A newer trust bundle is known; it will be judged when that has arrived."},
    Row{"root_list_expired", "The root list has run out; the municipality must publish a new one."},
    Row{"root_list_older", "A newer root list is known; it will be judged when that has arrived."},
    Row{"unknown_head", "The hub and the page do not know the same orders; load the page again and retry."},
    Row{"clock_untrusted", "The hub's clock is not trusted; it will be judged when it is."},
    Row{"hub_revoked", "The hub has been revoked; have it replaced."},
    Row{"no_device", "The hub has no device order yet; a technician must sign it."},
    Row{"no_assignment", "The hub is not assigned to the resident; an installer must assign it."},
    Row{"no_consent", "There is no consent; two persons must sign it first."},
    Row{"consent_withdrawn", "The consent has been withdrawn; the camera stays closed."},
    Row{"consent_expired", "The decision or the consent is not in force on this date; it must be renewed."},
    Row{"no_schedule", "There is no schedule; a planner must sign one."},
    Row{"not_accepted", "The installation has not been tested and accepted; an installer must sign that."},
    Row{"paused", "Supervision is paused; it goes on when the pause ends."},
    Row{"paused_by_resident", "The resident has paused supervision, and alone can end that; talk to them."},
    Row{"not_paused", "The installation is accepted; have supervision paused before it is tested anew."},
    Row{"outside_window", "No supervision is due now; wait for the next one."},
    Row{"outside_permitted_hours", "The resident has not permitted this hour; wait for the next supervision."},
    Row{"too_many_views", "The hub shows as many views as it can; wait until one has ended."},
    Row{"camera_fault", "The camera does not work; plan a visit."},
    Row{"store_fault", "The hub's memory does not work; plan a visit."},
};

Error error_with(Code code, const char* reason, const std::string& detail) {
  const char* known = sentence_for(reason);
  const std::string sentence = known == nullptr ? reason : known;
  return {code, reason, detail.empty() ? sentence : sentence + " (" + detail + ")"};
}

}  // namespace

const char* verdict_name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::kAccepted:
      return "accepted";
    case Verdict::Kind::kRefused:
      return "refused";
    case Verdict::Kind::kWaiting:
      return "waiting";
  }
  return "refused";
}

const char* sentence_for(std::string_view reason) {
  const auto found =
      std::find_if(kSentences.begin(), kSentences.end(), [&](const Row& row) { return row.reason == reason; });
  return found == kSentences.end() ? nullptr : found->sentence;
}

Error refuse(const char* reason, const std::string& detail) { return error_with(Code::kRefused, reason, detail); }
Error wait_for(const char* reason, const std::string& detail) { return error_with(Code::kWaiting, reason, detail); }

Verdict verdict_of(const Error& error) {
  const auto kind = error.code == Code::kWaiting ? Verdict::Kind::kWaiting : Verdict::Kind::kRefused;
  if (sentence_for(error.reason) != nullptr) return {kind, error.reason, error.message};
  return {kind, "malformed", error.message};
}

Verdict verdict_of(const Result<void>& result) {
  if (result.ok()) return {Verdict::Kind::kAccepted, {}, {}};
  return verdict_of(result.error());
}

}  // namespace tillsyn::orders
