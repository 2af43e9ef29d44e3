#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;

namespace {

// One payload text of every type.
std::vector<std::string> every_payload(const Scene& s) {
  std::vector<std::string> out;
  const auto add = [&](Body body, std::vector<const Staff*> signers) {
    out.push_back(format_payload(s.maker.payload(std::move(body), signers, 2, fakes::bytes32("before"))));
  };
  add(s.maker.grant_of(s.olle.person, Role::kOperator, {"north", "south"}), {&s.mia, &s.rut});
  add(s.revoke(s.olle), {&s.rut});
  add(OrderMaker::device(s.device_key.public_key()), {&s.tore});
  add(OrderMaker::assignment(s.home), {&s.inga});
  add(OrderMaker::acceptance(s.home, fakes::bytes32("assignment")), {&s.inga});
  add(s.release(), {&s.inga, &s.carin});
  add(s.maker.consent(s.home), {&s.carin, &s.carl});
  add(s.withdrawal(), {&s.carin});
  auto schedule = OrderMaker::schedule(s.home);
  schedule.schedule.valid_from = civil::parse_date("2026-11-01").value();
  schedule.schedule.exceptions = {
      {*civil::parse_date("2026-12-24"), {}},
      {*civil::parse_date("2026-12-25"), {{"x1", std::chrono::minutes(180), std::chrono::minutes(20)}}}};
  add(schedule, {&s.pia, &s.per});
  add(s.pause(), {&s.pia});
  add(s.resume(), {&s.pia});
  add(s.view(), {&s.olle});
  add(s.test_view(), {&s.inga});
  for (const auto kind : {OutcomeKind::kCompleted, OutcomeKind::kNotSeen, OutcomeKind::kUnable,
                          OutcomeKind::kVisitTaken, OutcomeKind::kPauseKnown}) {
    add(s.outcome(kind), {&s.olle});
  }
  return out;
}

// Calls `visit` with the object itself and every object inside it.
void for_each_object(Json& value, const std::function<void(Json&)>& visit) {
  if (value.is_object()) visit(value);
  if (!value.is_structured()) return;
  for (auto& item : value) for_each_object(item, visit);
}

std::string parsed(const Json& payload) { return said(parse_payload(canonical_json(payload))); }

}  // namespace

TEST_CASE("every payload is read back as it was written", "[orders]") {
  const Scene s;
  for (const std::string& text : every_payload(s)) {
    CAPTURE(text);
    const auto payload = parse_payload(text);
    REQUIRE(said(payload) == "accepted");
    CHECK(format_payload(*payload) == text);
    CHECK((*parse_json(text))["type"] == type_name(payload->body));
    CHECK(payload->common.standing.has_value() == is_standing(payload->body));
  }
}

TEST_CASE("a payload with a member too few or too many is malformed, at every depth", "[orders]") {
  const Scene s;
  for (const std::string& text : every_payload(s)) {
    const Json whole = *parse_json(text);
    Json changed = whole;
    for_each_object(changed, [&](Json& object) {
      object["surprise"] = 1;
      CAPTURE(changed.dump());
      CHECK(parsed(changed) == "refused malformed");
      object.erase("surprise");
      const Json before = object;
      for (auto it = before.begin(); it != before.end(); ++it) {
        if (&object == &changed && it.key() == "type") continue;
        object.erase(it.key());
        CHECK(parsed(changed) == "refused malformed");
        object[it.key()] = it.value();
      }
    });
    CHECK(parsed(changed) == "accepted");
  }
}

TEST_CASE("a member of another type is malformed, at every depth", "[orders]") {
  const Scene s;
  for (const std::string& text : every_payload(s)) {
    Json changed = *parse_json(text);
    for_each_object(changed, [&](Json& object) {
      const Json before = object;
      for (auto it = before.begin(); it != before.end(); ++it) {
        for (const Json& other :
             {Json(-1), Json(""), Json(true), Json::array({7}), Json::object({{"x", 1}}), Json("\u0000 ä")}) {
          if (it.value().type() == other.type() && !it.value().is_string() && !it.value().is_number()) continue;
          if (it.value().is_string() && other.is_string() && other != "") continue;
          object[it.key()] = other;
          CAPTURE(changed.dump());
          CHECK(parsed(changed) != "accepted");
        }
        object[it.key()] = it.value();
      }
    });
  }
}

TEST_CASE("another format number waits, whatever else the payload holds", "[orders]") {
  const Scene s;
  Json payload = *parse_json(format_payload(s.maker.payload(s.view(), {&s.olle})));
  payload["format"] = 2;
  CHECK(parsed(payload) == "waiting unknown_format");
  payload["new member"] = Json::array({1, 2});
  payload["type"] = "something new";
  CHECK(parsed(payload) == "waiting unknown_format");
  CHECK(parsed({{"format", 9007199254740991}}) == "waiting unknown_format");
  for (const Json& bad : {Json(0), Json(-1), Json("1"), Json(), Json(true)}) {
    payload["format"] = bad;
    CHECK(parsed(payload) == "refused malformed");
  }
  payload.erase("format");
  CHECK(parsed(payload) == "refused malformed");
}

TEST_CASE("an order of an unknown format still has a hash to answer by", "[orders]") {
  const Scene s;
  const std::string payload = R"({"format":2,"type":"view"})";
  const std::string text = s.maker.sign(payload, {&s.olle});
  CHECK(said(parse_order(text)) == "waiting unknown_format");
  CHECK(*order_hash_in(text) == order_hash(payload));
  CHECK_FALSE(order_hash_in("{}").ok());
}

TEST_CASE("an unknown type in a known format is not supported", "[orders]") {
  const Scene s;
  Json payload = *parse_json(format_payload(s.maker.payload(s.view(), {&s.olle})));
  for (const char* type : {"test_view", "View", "", "day-list", "consent withdrawn"}) {
    payload["type"] = type;
    CHECK(parsed(payload) == "refused type_not_supported");
  }
}

TEST_CASE("payloads are read strictly", "[orders]") {
  const Scene s;
  const std::string text = format_payload(s.maker.payload(s.view(), {&s.olle}));
  const auto refuses = [](const std::string& bad) { CHECK(said(parse_payload(bad)) == "refused malformed"); };
  refuses(text + " x");
  refuses(text.substr(0, text.size() - 1));
  refuses("{\"camera\":\"bedroom\"," + text.substr(1));  // a member twice
  refuses("[" + text + "]");
  refuses("");
  refuses("\"view\"");
  refuses(text.substr(0, text.size() - 1) + ",\"x\":\"\xc0\xaf\"}");
  refuses(std::string(kMaxPayloadBytes, ' ') + text);
  CHECK(parse_payload(" " + text + "\n").ok());
}

TEST_CASE("values outside their form are malformed", "[orders]") {
  const Scene s;
  const auto refuses = [&](Body body, const char* path, const Json& bad) {
    Json payload = *parse_json(format_payload(s.maker.payload(std::move(body), {&s.olle})));
    REQUIRE(parsed(payload) == "accepted");
    const Json::json_pointer at{std::string(path)};
    payload[at] = bad;
    CAPTURE(payload.dump());
    CHECK(parsed(payload) == "refused malformed");
  };
  const auto grant = s.maker.grant_of(s.olle.person, Role::kOperator, {"north"});
  const std::string long_text(1001, 'x');

  SECTION("names") {
    for (const char* bad : {"", "North", "a b", "åsa", "x.y", "abcdefghijklmnopqrstuvwxyz0123456"}) {
      refuses(s.view(), "/group", bad);
      refuses(s.view(), "/camera", bad);
      refuses(s.view(), "/provider", bad);
    }
    for (const char* bad :
         {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAA+"}) {
      refuses(s.view(), "/resident", bad);
      refuses(s.view(), "/id", bad);
    }
    refuses(s.view(), "/hub", s.home.resident);
    refuses(s.view(), "/group", "*");
  }
  SECTION("people") {
    refuses(s.view(), "/signers", Json::array());
    refuses(s.view(), "/signers/0/role", "boss");
    refuses(s.view(), "/signers/0/person", "");
    refuses(s.view(), "/signers/0/person", std::string(129, 'x'));
    refuses(s.view(), "/signers/0/issuer", "http://id.solna.example");
    refuses(s.view(), "/signers/0/issuer", "https://");
    refuses(s.view(), "/signers/0/issuer", "https://id.solna.example/ x");
    const Json signer = {{"issuer", s.olle.person.issuer}, {"person", "olle"}, {"role", "operator"}};
    refuses(s.view(), "/signers", Json::array({signer, signer, signer}));
  }
  SECTION("rights") {
    refuses(grant, "/rights", Json::array());
    refuses(grant, "/rights/0/groups", Json::array());
    refuses(grant, "/rights/0/groups", Json::array({"*", "north"}));
    refuses(grant, "/rights/0/groups", Json::array({"north", "north"}));
    refuses(grant, "/rights/0/groups", Json::array({"North"}));
    refuses(grant, "/rights/0/to", format_instant(grant.rights[0].from));
    refuses(grant, "/rights/0/to",
            format_instant(grant.rights[0].from + std::chrono::days(400) + std::chrono::seconds(1)));
    refuses(grant, "/reason", "");
    refuses(grant, "/reason", long_text);
  }
  SECTION("times and versions") {
    for (const char* bad :
         {"2026-11-22 20:15:00Z", "2026-11-22T20:15:00+00:00", "2026-11-22T20:15:00.000Z", "2026-02-30T00:00:00Z"}) {
      refuses(s.pause(), "/signed_at", bad);
      refuses(s.pause(), "/until", bad);
    }
    const Instant signed_at = s.maker.now;
    refuses(s.pause(), "/until", format_instant(signed_at));
    refuses(s.pause(), "/until", format_instant(signed_at - std::chrono::seconds(1)));
    refuses(s.pause(), "/until", format_instant(signed_at + std::chrono::days(30) + std::chrono::seconds(1)));
    refuses(s.pause(), "/version", 0);
    refuses(s.pause(), "/version", -1);
    refuses(s.pause(), "/replaces", "AAAA");
  }
  SECTION("assignment") {
    const auto assignment = OrderMaker::assignment(s.home);
    for (const char* bad : {"K7T", "K7TRX", "k7tr", "K7T0", "K7TO", ""}) refuses(assignment, "/code", bad);
    for (const char* bad : {"ACDEF", "ACDEF0", "ACDEFI", "acdefh"}) refuses(assignment, "/cameras/0/identifier", bad);
    refuses(assignment, "/cameras", Json::array());
    const Json bed = {{"id", "bed"}, {"identifier", "ACDEFH"}};
    const Json hall = {{"id", "hall"}, {"identifier", "ACDEFH"}};
    refuses(assignment, "/cameras", Json::array({bed, bed}));
    refuses(assignment, "/cameras", Json::array({bed, hall}));
  }
  SECTION("acceptance") {
    const auto acceptance = OrderMaker::acceptance(s.home, fakes::bytes32("a"));
    refuses(acceptance, "/checklist/0/passed", false);
    refuses(acceptance, "/checklist/0/item", "");
    refuses(acceptance, "/checklist", Json::array());
  }
  SECTION("consent") {
    const auto consent = s.maker.consent(s.home);
    refuses(consent, "/withdrawn", true);  // and the terms still there
    refuses(consent, "/decision/to", "2026-01-01");
    refuses(consent, "/decision/from", "2026-1-01");
    refuses(consent, "/permitted/start", "24:00");
    refuses(consent, "/permitted/start", "9:00");
    refuses(consent, "/permitted/minutes", 0);
    refuses(consent, "/permitted/minutes", 1441);
    refuses(consent, "/supervisions_per_day", 0);
    refuses(consent, "/max_minutes_per_day", 0);
    refuses(consent, "/max_minutes_per_day", 1441);
    refuses(consent, "/timezone", "Europe/Solna");
    refuses(consent, "/timezone", "../../etc/passwd");
    refuses(consent, "/informed/how", "");
    Json withdrawn = *parse_json(format_payload(s.maker.payload(s.withdrawal(), {&s.carin})));
    withdrawn["withdrawn"] = false;
    CHECK(parsed(withdrawn) == "refused malformed");
  }
  SECTION("schedule") {
    const auto schedule = OrderMaker::schedule(s.home);
    refuses(schedule, "/windows/0/minutes", 721);
    refuses(schedule, "/windows/0/days", Json::array({"mon", "mon"}));
    refuses(schedule, "/windows/0/id", "w 1");
    refuses(schedule, "/timezone", "Nowhere");
    refuses(schedule, "/valid_from", "2026-13-01");
  }
  SECTION("device") {
    const auto device = OrderMaker::device(s.device_key.public_key());
    refuses(device, "/device_key/x", to_base64url(Bytes(32, 1)));
    refuses(device, "/device_key/kty", "RSA");
    refuses(device, "/device_key/d", to_base64url(Bytes(32, 1)));
    refuses(device, "/board", "");
  }
  SECTION("view and outcomes") {
    refuses(s.view(), "/viewer_key", to_base64url(Bytes(65, 4)));
    refuses(s.view(), "/viewer_key", to_base64url(Bytes(33, 2)));
    refuses(s.view(), "/challenge", to_base64url(Bytes(31, 2)));
    refuses(s.view(), "/checkpoint/size", -1);
    refuses(s.view(), "/bundle/counter", 0);
    refuses(s.outcome(OutcomeKind::kCompleted), "/answer", Json());
    refuses(s.outcome(OutcomeKind::kCompleted), "/window/date", "2026-11-31");
    refuses(s.outcome(OutcomeKind::kUnable), "/reason", "");
  }
}

TEST_CASE("orders are read strictly", "[orders]") {
  const Scene s;
  const Order order = s.maker.order(s.view(), {&s.olle});
  const Json whole = *parse_json(order.text);
  const auto refuses = [](const std::string& text) {
    CAPTURE(text.substr(0, 200));
    CHECK(said(parse_order(text)) == "refused malformed");
  };
  Json changed = whole;
  for_each_object(changed, [&](Json& object) {
    object["surprise"] = 1;
    refuses(changed.dump());
    object.erase("surprise");
    const Json before = object;
    for (auto it = before.begin(); it != before.end(); ++it) {
      object.erase(it.key());
      refuses(changed.dump());
      object[it.key()] = it.value();
    }
  });
  refuses(R"({"payload":"{}",)" + order.text.substr(1));
  refuses(order.text + std::string(kMaxOrderBytes, ' '));
  refuses("");
  changed["signatures"][0]["key"]["x"] = to_base64url(Bytes(32, 7));
  refuses(changed.dump());
  changed = whole;
  changed["signatures"][0]["proof"]["id_token"] = std::string(16 * 1024 + 1, 'a');
  refuses(changed.dump());
  changed = whole;
  changed["payload"] = *parse_json(order.payload_text);  // the payload as an object, not as text
  refuses(changed.dump());
}

TEST_CASE("an order keeps its text, its payload's text and its hash", "[orders]") {
  const Scene s;
  const Order order = s.maker.order(s.view(), {&s.olle});
  const std::string spaced = "  " + order.text + "\n";
  const Order again = *parse_order(spaced);
  CHECK(again.text == spaced);
  CHECK(again.payload_text == order.payload_text);
  CHECK(again.hash == order.hash);
  CHECK(format_order(again.payload_text, again.signatures) == order.text);
  // A payload in another spelling is another order.
  const Order other = *parse_order(s.maker.sign(" " + order.payload_text, {&s.olle}));
  CHECK(other.hash != order.hash);
}
