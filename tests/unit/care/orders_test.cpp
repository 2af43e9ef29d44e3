#include "relay/care/orders.h"

#include "common/orders/bindings.h"
#include "relay/care/drafts.h"
#include "tests/unit/care/town.h"

namespace tillsyn::town {
namespace {

std::string reason(const Result<care::Accepted>& result) { return result.ok() ? "" : result.error().reason; }

TEST_CASE("an accepted order is in the log as it was signed, and stands after a restart", "[care][LOG-1][IAM-5]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const auto accepted = town.post(grant);
  REQUIRE(accepted.ok());
  CHECK(accepted->is_new);
  const auto entry = town.newest();
  CHECK(entry == accepted->entry);
  CHECK(ledger::entry_leaf(entry) ==
        ledger::entry_leaf(*ledger::entry_for_order(grant.payload_text, entry.seq, entry.time)));
  CHECK(entry.what == "grant");
  CHECK(entry.who.size() == 2);

  town.start();
  CHECK(town.provider().book.all().size() == 1);
  CHECK(town.log().size() == entry.seq + 1);
}

TEST_CASE("the same order handed in again gets the same answer and no second entry", "[care]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const auto first = town.post(grant);
  const auto again = town.post(grant);
  REQUIRE(again.ok());
  CHECK_FALSE(again->is_new);
  CHECK(again->entry == first->entry);
  CHECK(town.log().size() == first->entry.seq + 1);
}

TEST_CASE("of two orders for one slot the first stands, and the second is told which it is", "[care]") {
  Town town;
  town.hire();
  const auto first = town.maker.grant("ny", Role::kOperator);
  const auto second = town.maker.grant("ny", Role::kPlanner);
  town.must_post(first);
  const auto refused = town.post(second);
  CHECK(reason(refused) == "slot_taken");
  CHECK(refused.error().code == Code::kConflict);
  CHECK(care::holder_of(town.provider(), second.text) == Json::parse(first.text));
}

TEST_CASE("a whole home is accepted step by step, the acceptance only after the hub's countersign", "[care][LOG-1]") {
  Town town;
  town.hire();
  TestHub hub("hub");
  const auto at = town.enrol(hub.device_key);
  const auto home = town.maker.home_orders(hub.home(), hub.device_key.public_key());
  town.must_post(home[0]);
  town.must_post(home[1]);
  CHECK(reason(town.post(home[2])) == "not_countersigned");

  api::HubDesk desk(*town.services);
  REQUIRE(desk.record(at, {{}, {}, {hub.countersign(home[1].hash)}, {}}).ok());
  town.must_post(home[2]);
  town.must_post(home[3]);
  town.must_post(home[4]);
  const auto schedule_entry = town.newest();
  CHECK(schedule_entry.what == "schedule");
  CHECK(schedule_entry.who.size() == 2);

  town.start();
  CHECK(town.provider().book.schedule_in_force(hub.id(), hub.home().resident, kNow).ok());
}

TEST_CASE("refused orders change nothing and are in the log with their reason", "[care][IAM-5]") {
  Town town;
  town.hire();
  TestHub hub("hub");
  const Staff mia = town.maker.login("mia", Role::kManager);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const Staff olle = town.maker.login("olle", Role::kOperator);
  const Staff pia = town.maker.login("pia", Role::kPlanner);
  const orders::Grant grant = town.maker.grant_of({town.maker.issuers[0].url(), "ny"}, Role::kOperator);
  const auto orders_before = town.provider().book.all().size();
  const auto log_before = town.log().size();

  std::string expected;
  std::string text;
  SECTION("a grant of one person only") {
    Staff rut_as_mia = town.maker.login("mia", Role::kRightsAdmin);
    text = town.maker.order(grant, {&mia, &rut_as_mia}).text;
    expected = "not_two_people";
  }
  SECTION("a grant of one person under two issuers") {
    Staff other = town.maker.login("mia", Role::kRightsAdmin, 1);
    text = town.maker.order(grant, {&mia, &other}).text;
    expected = "not_two_people";
  }
  SECTION("by somebody without the right") {
    Staff posing = town.maker.login("olle", Role::kTechnician);
    text = town.maker.order(OrderMaker::device(hub.device_key.public_key()), {&posing}).text;
    expected = "no_grant";
  }
  SECTION("in a role that cannot sign this") {
    text = town.maker.order(OrderMaker::device(hub.device_key.public_key()), {&olle}).text;
    expected = "wrong_role";
  }
  SECTION("for another provider") {
    auto payload = town.maker.payload(grant, {&mia, &rut});
    payload.common.provider = "nacka";
    text = town.maker.order(payload, {&mia, &rut}).text;
    expected = "wrong_provider";
  }
  SECTION("with another nonce than its key's") {
    Staff forged = town.maker.login("rut", Role::kRightsAdmin);
    forged.salt = fakes::bytes32("other");
    text = town.maker.order(grant, {&mia, &forged}).text;
    expected = "nonce_mismatch";
  }
  SECTION("with an acr that is too low") {
    Staff low = town.maker.login("rut", Role::kRightsAdmin);
    low.claims["acr"] = "http://id.sambi.se/loa/loa2";
    town.maker.renew_token(low);
    text = town.maker.order(grant, {&mia, &low}).text;
    expected = "acr_too_low";
  }
  SECTION("for another audience") {
    Staff foreign = town.maker.login("rut", Role::kRightsAdmin);
    foreign.claims["aud"] = "another";
    town.maker.renew_token(foreign);
    text = town.maker.order(grant, {&mia, &foreign}).text;
    expected = "wrong_audience";
  }
  SECTION("signed too long after the login") {
    Staff old = town.maker.login("rut", Role::kRightsAdmin);
    old.claims["auth_time"] = old.claims["auth_time"].get<std::int64_t>() - 13 * 3600;
    town.maker.renew_token(old);
    text = town.maker.order(grant, {&mia, &old}).text;
    expected = "auth_too_old";
  }
  const auto refused = care::accept_order(town.provider(), town.trusted(), text, std::nullopt, olle.person, kNow);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == expected);
  CHECK(town.provider().book.all().size() == orders_before);
  const auto log = town.log();
  REQUIRE(log.size() == log_before + 1);
  CHECK(log.back().what == "order_refused");
  CHECK(log.back().reason == expected);
  CHECK(log.back().who == std::vector<ledger::Person>{care::ledger_person(olle.person)});
}

TEST_CASE("one changed byte anywhere in an order is refused", "[care]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  for (std::size_t i = 20; i < grant.text.size(); i += 97) {
    std::string text = grant.text;
    text[i] = text[i] == 'A' ? 'B' : 'A';
    if (text == grant.text) continue;
    INFO(i);
    CHECK_FALSE(care::accept_order(town.provider(), town.trusted(), text, std::nullopt, {"i", "p"}, kNow).ok());
  }
  CHECK(town.provider().book.all().empty());
}

TEST_CASE("a gap in versions waits, and nothing of it is kept", "[care]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  town.must_post(grant);
  const Staff mia = town.maker.login("mia", Role::kManager);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const auto later = town.maker.order(grant.payload.body, {&mia, &rut}, 3, grant.hash);
  const auto waiting = town.post(later);
  CHECK(reason(waiting) == "version_gap");
  CHECK(waiting.error().code == Code::kWaiting);
  CHECK(town.provider().book.all().size() == 1);
}

TEST_CASE("a view is not taken with the standing orders", "[care]") {
  Town town;
  town.hire();
  TestHub hub("hub");
  const Staff olle = town.maker.login("olle", Role::kOperator);
  const auto view = town.maker.order(
      town.maker.view(hub.home(), fakes::p256_key("viewer").public_key(), fakes::bytes32("challenge"), {}), {&olle});
  CHECK(reason(town.post(view)) == "type_not_supported");
}

TEST_CASE("the page of orders tells all that stands, with receipts and countersigns, from any point on", "[care]") {
  Town town;
  town.hire();
  TestHub hub("hub");
  const auto at = town.enrol(hub.device_key);
  const auto home = town.maker.home_orders(hub.home(), hub.device_key.public_key());
  town.must_post(home[0]);
  town.must_post(home[1]);
  api::HubDesk desk(*town.services);
  REQUIRE(
      desk.record(
              at,
              {{}, {hub.receipt(home[0].hash, orders::Verdict::Kind::kAccepted)}, {hub.countersign(home[1].hash)}, {}})
          .ok());
  const auto page = care::order_items(town.provider(), 0, 100, kNow);
  REQUIRE(page.ok());
  const auto& items = *page;
  REQUIRE(items.size() == 11);
  CHECK(items[9]["order"] == Json::parse(home[0].text));
  CHECK(items[9]["receipts"].size() == 1);
  CHECK(items[9]["countersign"].is_null());
  CHECK(items[10]["countersign"] == hub.countersign(home[1].hash));
  CHECK(care::order_items(town.provider(), 11, 100, kNow)->empty());
  CHECK(care::order_items(town.provider(), 10, 100, kNow)->size() == 1);
  const auto some = care::order_items(town.provider(), 0, 10, kNow);
  REQUIRE(some->size() == 10);
  CHECK(some->back() == items[9]);
}

TEST_CASE("an outcome's note is kept sealed, and only the note that was signed", "[care]") {
  Town town;
  town.hire();
  TestHub hub("hub");
  const auto at = town.enrol(hub.device_key);
  const auto home = town.maker.home_orders(hub.home(), hub.device_key.public_key());
  api::HubDesk desk(*town.services);
  town.must_post(home[0]);
  town.must_post(home[1]);
  REQUIRE(desk.record(at, {{}, {}, {hub.countersign(home[1].hash)}, {}}).ok());
  for (std::size_t i = 2; i < home.size(); ++i) town.must_post(home[i]);
  const Staff olle = town.maker.login("olle", Role::kOperator);
  const care::Note note{fakes::bytes32("note"), "Sover gott"};
  orders::Outcome outcome;
  outcome.resident = hub.home().resident;
  outcome.group = hub.home().group;
  outcome.window = {"night", *civil::parse_date("2026-11-22")};
  outcome.answer = orders::Hash{};
  outcome.note = orders::note_hash(note.salt, note.text);
  const auto order = town.maker.order(outcome, {&olle});
  const auto post = [&](const std::optional<care::Note>& with) {
    return care::accept_order(town.provider(), town.trusted(), order.text, with, olle.person, kNow);
  };
  CHECK(reason(post(std::nullopt)) == "malformed");
  CHECK(reason(post(care::Note{note.salt, "Något annat"})) == "malformed");
  REQUIRE(post(note).ok());
  const auto sealed = town.provider().database.select_one<std::string>("select sealed from notes");
  REQUIRE(sealed.ok());
  CHECK(std::get<0>(**sealed).find("Sover") == std::string::npos);
}

// ---- drafts ----

struct Drafted {
  Json body;
  Json missing;  // the second signature
};

Drafted draft_of(const orders::Order& order) {
  Json body = Json::parse(order.text);
  const Json second = body["signatures"][1];
  body["signatures"][1] = nullptr;
  return {body, second};
}

TEST_CASE("a draft becomes an order with its second signature, and is seen by its signers alone", "[care][IAM-5]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const Staff mia = town.maker.login("mia", Role::kManager);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const auto [body, missing] = draft_of(grant);
  const auto id = care::add_draft(town.provider(), body, mia.person, kNow);
  REQUIRE(id.ok());
  CHECK(care::drafts_for(town.provider(), rut.person, kNow)->size() == 1);
  CHECK(care::drafts_for(town.provider(), {mia.person.issuer, "olle"}, kNow)->empty());
  CHECK(town.provider().book.all().empty());

  const auto signed_draft = care::sign_draft(town.provider(), town.trusted(), *id, missing, rut.person, kNow);
  REQUIRE(signed_draft.ok());
  REQUIRE(signed_draft->has_value());
  CHECK((*signed_draft)->hash == grant.hash);
  CHECK(town.provider().book.all().size() == 1);
  CHECK(care::drafts_for(town.provider(), rut.person, kNow)->empty());
}

TEST_CASE("a draft is refused, or stays, when its signatures are not those of its signers", "[care][IAM-5]") {
  Town town;
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const Staff mia = town.maker.login("mia", Role::kManager);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  auto [body, missing] = draft_of(grant);
  auto& provider = town.provider();
  SECTION("handed in by somebody it does not name") {
    CHECK(care::add_draft(provider, body, {mia.person.issuer, "olle"}, kNow).error().reason == "person_mismatch");
  }
  SECTION("handed in by the one who has not signed") {
    CHECK(care::add_draft(provider, body, rut.person, kNow).error().reason == "person_mismatch");
  }
  SECTION("a signature over something else") {
    body["signatures"][0]["sig"] = missing["sig"];
    CHECK(care::add_draft(provider, body, mia.person, kNow).error().reason == "bad_signature");
  }
  SECTION("a place too few") {
    body["signatures"].erase(1);
    CHECK(care::add_draft(provider, body, mia.person, kNow).error().reason == "malformed");
  }
  SECTION("the first signer signing both places") {
    const auto id = care::add_draft(provider, body, mia.person, kNow);
    REQUIRE(id.ok());
    const auto again = care::sign_draft(provider, town.trusted(), *id, body["signatures"][0], mia.person, kNow);
    REQUIRE(again.ok());
    CHECK_FALSE(again->has_value());
    CHECK(provider.book.all().empty());
  }
  SECTION("the first signer's signature in the second's place") {
    const auto id = care::add_draft(provider, body, mia.person, kNow);
    REQUIRE(id.ok());
    const auto posed = care::sign_draft(provider, town.trusted(), *id, body["signatures"][0], rut.person, kNow);
    REQUIRE_FALSE(posed.ok());
    CHECK(posed.error().reason == "person_mismatch");
    CHECK(care::drafts_for(provider, mia.person, kNow)->size() == 1);
  }
  SECTION("run out") {
    const auto id = care::add_draft(provider, body, mia.person, kNow);
    REQUIRE(id.ok());
    const auto late = kNow + care::kDraftLife;
    CHECK(care::sign_draft(provider, town.trusted(), *id, missing, rut.person, late).error().reason == "no_draft");
  }
  SECTION("taken back") {
    const auto id = care::add_draft(provider, body, mia.person, kNow);
    REQUIRE(id.ok());
    CHECK(care::delete_draft(provider, *id, {mia.person.issuer, "olle"}, kNow).error().reason == "no_draft");
    REQUIRE(care::delete_draft(provider, *id, rut.person, kNow).ok());
    CHECK(care::sign_draft(provider, town.trusted(), *id, missing, rut.person, kNow).error().reason == "no_draft");
  }
}

}  // namespace
}  // namespace tillsyn::town
