#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;

namespace {

struct Documents {
  Scene s;
  std::vector<SlotEntry> slots = s.book.slots(s.home.hub, s.home.resident);
  Hash head = s.book.head(s.home.hub, s.home.resident);

  Receipt receipt() const {
    return {s.home.hub, s.standing[0].hash, Verdict::Kind::kAccepted, std::nullopt, head, slots, {}, s.maker.now};
  }
  Answer closed() const {
    Answer out;
    out.hub = s.home.hub;
    out.order = fakes::bytes32("view");
    out.resident = s.home.resident;
    out.camera = "bedroom";
    out.viewer_key = fakes::p256_key("viewer").public_key().point();
    out.reason = "outside_window";
    out.mono = 123456;
    out.head = head;
    out.next_ms = 1795378500000;
    out.slots = slots;
    return out;
  }
  Answer open() const {
    Answer out = closed();
    out.reason.reset();
    out.next_ms.reset();
    out.utc_ms = 1795378500000;
    out.clock_trusted = true;
    out.bundle = s.maker.bundle.version;
    out.open = OpenView{1795379400000, {1}, {4}, {9}};
    return out;
  }
  Event event() const {
    Event out;
    out.hub = s.home.hub;
    out.n = 2;
    out.prev = fakes::bytes32("event 1");
    out.time = s.maker.now;
    out.mono = 5;
    out.clock_trusted = true;
    out.kind = "view_started";
    out.resident = s.home.resident;
    out.camera = "bedroom";
    out.window = WindowOnDate{"w1", *civil::parse_date("2026-11-22")};
    out.order = fakes::bytes32("view");
    out.who = s.olle.person;
    return out;
  }
  LinkKey link_key() const { return {s.device_key.public_key(), fakes::p256_key("link").public_key(), 1}; }
  Countersign countersign() const { return {s.home.hub, s.standing[1].hash, s.maker.now}; }
};

// Removes, adds and retypes every member of the top level.
template <typename Parse>
void refuses_other_members(const std::string& text, Parse parse) {
  REQUIRE(parse(text).ok());
  Json changed = *parse_json(text);
  const Json before = changed;
  for (auto it = before.begin(); it != before.end(); ++it) {
    CAPTURE(it.key());
    changed.erase(it.key());
    CHECK(said(parse(changed.dump())) == "refused malformed");
    changed[it.key()] = Json::object({{"x", 1}});
    CHECK(said(parse(changed.dump())) == "refused malformed");
    changed[it.key()] = it.value();
  }
  changed["surprise"] = Json();
  CHECK(said(parse(changed.dump())) == "refused malformed");
  changed.erase("surprise");
  changed["type"] = "life";
  CHECK(said(parse(changed.dump())) == "refused malformed");
  changed["format"] = 2;
  CHECK(said(parse(changed.dump())) == "waiting unknown_format");
}

}  // namespace

TEST_CASE("device documents are read back as they were written", "[orders]") {
  const Documents d;
  CHECK(format(*parse_receipt(format(d.receipt()))) == format(d.receipt()));
  CHECK(format(*parse_answer(format(d.closed()))) == format(d.closed()));
  CHECK(format(*parse_answer(format(d.open()))) == format(d.open()));
  CHECK(format(*parse_event(format(d.event()))) == format(d.event()));
  CHECK(format(*parse_link_key(format(d.link_key()))) == format(d.link_key()));
  CHECK(format(*parse_countersign(format(d.countersign()))) == format(d.countersign()));
}

TEST_CASE("a device document with other members is malformed", "[orders]") {
  const Documents d;
  refuses_other_members(format(d.receipt()), parse_receipt);
  refuses_other_members(format(d.closed()), parse_answer);
  refuses_other_members(format(d.open()), parse_answer);
  refuses_other_members(format(d.event()), parse_event);
  refuses_other_members(format(d.link_key()), parse_link_key);
  refuses_other_members(format(d.countersign()), parse_countersign);
}

TEST_CASE("an answer is open or closed, never between", "[orders]") {
  const Documents d;
  const auto parsed = [](const Answer& answer, const char* name, const Json& value) {
    Json json = *parse_json(format(answer));
    json[name] = value;
    return said(parse_answer(json.dump()));
  };
  for (const char* name : {"until_ms", "stream", "enc", "sealed"}) {
    CAPTURE(name);
    CHECK(parsed(d.open(), name, Json()) == "refused malformed");
    CHECK(parsed(d.closed(), name, (*parse_json(format(d.open())))[name]) == "refused malformed");
  }
  CHECK(parsed(d.open(), "reason", "paused") == "refused malformed");
  CHECK(parsed(d.open(), "next_ms", 5) == "refused malformed");
  CHECK(parsed(d.open(), "decision", "closed") == "refused malformed");
  CHECK(parsed(d.closed(), "decision", "open") == "refused malformed");
  CHECK(parsed(d.closed(), "decision", "ajar") == "refused malformed");
  CHECK(parsed(d.closed(), "reason", Json()) == "refused malformed");
  CHECK(parsed(d.closed(), "clock", "maybe") == "refused malformed");
  CHECK(parsed(d.closed(), "next_ms", Json()) == "accepted");
}

TEST_CASE("a receipt's reason fits its verdict", "[orders]") {
  const Documents d;
  auto receipt = d.receipt();
  receipt.reason = "late";
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
  receipt.verdict = Verdict::Kind::kWaiting;
  CHECK(said(parse_receipt(format(receipt))) == "accepted");
  receipt.reason.reset();
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
}

TEST_CASE("slots in receipts are known, sorted and none twice", "[orders]") {
  const Documents d;
  auto receipt = d.receipt();
  std::swap(receipt.slots[0], receipt.slots[1]);
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
  receipt = d.receipt();
  receipt.slots[1] = receipt.slots[0];
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
  receipt = d.receipt();
  receipt.slots[0].slot = "aaa";
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
  receipt = d.receipt();
  receipt.formats.order = {2, 1};
  CHECK(said(parse_receipt(format(receipt))) == "refused malformed");
}

TEST_CASE("events form a chain from the first on", "[orders]") {
  const Documents d;
  auto event = d.event();
  event.prev.reset();
  CHECK(said(parse_event(format(event))) == "refused malformed");
  event.n = 1;
  CHECK(said(parse_event(format(event))) == "accepted");
  event.prev = fakes::bytes32("x");
  CHECK(said(parse_event(format(event))) == "refused malformed");
  event = d.event();
  event.kind = "picture_taken";
  CHECK(said(parse_event(format(event))) == "refused malformed");
  event = d.event();
  event.count = 0;
  CHECK(said(parse_event(format(event))) == "refused malformed");
}

TEST_CASE("a document opens under its own kind and key alone", "[orders]") {
  const Documents d;
  const std::string payload = format(d.receipt());
  const std::string envelope = seal(DeviceKind::kReceipt, payload, d.s.device_key);
  const auto& key = d.s.device_key.public_key();
  CHECK(*open(DeviceKind::kReceipt, envelope, key) == payload);
  for (const auto kind : {DeviceKind::kAnswer, DeviceKind::kEvent, DeviceKind::kLinkKey, DeviceKind::kCountersign}) {
    CHECK(said(open(kind, envelope, key)) == "refused bad_signature");
  }
  CHECK(said(open(DeviceKind::kReceipt, envelope, fakes::p256_key("other").public_key())) == "refused bad_signature");
  CHECK(said(open(DeviceKind::kReceipt, "{}", key)) == "refused malformed");
  CHECK(said(open(DeviceKind::kReceipt, envelope + std::string(2 * kMaxDevicePayloadBytes, ' '), key)) ==
        "refused malformed");
  CHECK(document_hash(DeviceKind::kReceipt, payload) == crypto::sha256(signed_bytes("receipt", view_of(payload))));
  CHECK(document_hash(DeviceKind::kReceipt, payload) != document_hash(DeviceKind::kAnswer, payload));
}

TEST_CASE("a link key request is signed by the device key that names the hub", "[orders]") {
  const Documents d;
  const std::string payload = format(d.link_key());
  const auto opened = open_link_key(seal(DeviceKind::kLinkKey, payload, d.s.device_key));
  REQUIRE(opened.ok());
  CHECK(opened->device_key == d.s.device_key.public_key());
  CHECK(said(open_link_key(seal(DeviceKind::kLinkKey, payload, fakes::p256_key("thief")))) == "refused bad_signature");
  Json json = *parse_json(payload);
  json["hub"] = fakes::p256_key("other").public_key().thumbprint_text();
  CHECK(said(open_link_key(seal(DeviceKind::kLinkKey, json.dump(), d.s.device_key))) == "refused wrong_device_key");
}
