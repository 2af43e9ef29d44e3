#include "common/ledger/entry.h"

#include <catch2/catch.hpp>

#include "common/base/json.h"
#include "common/crypto/hash.h"

using namespace tillsyn;
using namespace tillsyn::ledger;

namespace {

const Instant kTime = *parse_instant("2026-11-22T20:15:00Z");
const std::string kHub = to_base64url(ByteArray<32>{1});
const std::string kResident = to_base64url(ByteArray<16>{2});

Json person(const char* name) { return {{"issuer", "https://idp.example"}, {"person", name}}; }

Json signer(const char* name, const char* role) {
  Json out = person(name);
  out["role"] = role;
  return out;
}

Json view_payload() {
  return {{"format", 1},
          {"type", "view"},
          {"provider", "vard-ost"},
          {"hub", kHub},
          {"resident", kResident},
          {"signed_at", "2026-11-22T20:14:59Z"},
          {"id", "unread"},
          {"signers", Json::array({signer("anna", "operator")})}};
}

Json entry_json() {
  return {{"details", nullptr},
          {"format", 1},
          {"hash", nullptr},
          {"hub", kHub},
          {"kind", "event"},
          {"provider", "vard-ost"},
          {"reason", "window_end"},
          {"resident", kResident},
          {"seq", 0},
          {"time", "2026-11-22T20:15:00Z"},
          {"what", "view_ended"},
          {"who", Json::array({person("anna")})}};
}

}  // namespace

TEST_CASE("an order's entry follows from its payload, and its text is canonical", "[ledger][AUD-1]") {
  const std::string payload = view_payload().dump();
  const auto entry = entry_for_order(payload, 7, kTime);
  REQUIRE(entry.ok());
  const std::string hash = to_base64url(crypto::sha256(signed_bytes("order", view_of(payload))));
  const std::string text =
      R"({"details":null,"format":1,"hash":")" + hash + R"(","hub":")" + kHub +
      R"(","kind":"order","provider":"vard-ost","reason":null,"resident":")" + kResident +
      R"(","seq":7,"time":"2026-11-22T20:15:00Z","what":"view","who":[{"issuer":"https://idp.example","person":"anna"}]})";
  CHECK(format_entry(*entry) == text);
  CHECK(entry_leaf(*entry) == leaf_hash(view_of(text)));
  CHECK(*parse_entry(text) == *entry);
}

TEST_CASE("the entry of an order that names no home names none", "[ledger][AUD-1]") {
  const Json payload = {{"type", "grant"},
                        {"provider", "vard-ost"},
                        {"issuer", "https://idp.example"},
                        {"person", "eva"},
                        {"reason", "new night shift"},
                        {"signers", Json::array({signer("anna", "manager"), signer("bo", "rights_admin")})}};
  const auto entry = entry_for_order(payload.dump(), 0, kTime);
  REQUIRE(entry.ok());
  CHECK_FALSE(entry->hub);
  CHECK_FALSE(entry->resident);
  CHECK_FALSE(entry->reason);
  REQUIRE(entry->who.size() == 2);
  CHECK(entry->who[1] == Person{"https://idp.example", "bo"});
}

TEST_CASE("any change of an order changes its leaf", "[ledger][AUD-1]") {
  const Hash leaf = entry_leaf(*entry_for_order(view_payload().dump(), 7, kTime));
  Json other = view_payload();
  other["id"] = "another";
  CHECK(entry_leaf(*entry_for_order(other.dump(), 7, kTime)) != leaf);
  CHECK(entry_leaf(*entry_for_order(view_payload().dump() + " ", 7, kTime)) != leaf);
  CHECK(entry_leaf(*entry_for_order(view_payload().dump(), 8, kTime)) != leaf);
  CHECK(entry_leaf(*entry_for_order(view_payload().dump(), 7, kTime + std::chrono::seconds(1))) != leaf);
}

TEST_CASE("an order whose copied members have another form makes no entry", "[ledger][AUD-1]") {
  CHECK_FALSE(entry_for_order("", 0, kTime).ok());
  CHECK_FALSE(entry_for_order("[]", 0, kTime).ok());
  CHECK_FALSE(entry_for_order(R"({"type":"view","type":"view"})", 0, kTime).ok());
  for (const char* name : {"type", "provider", "signers"}) {
    Json payload = view_payload();
    payload.erase(name);
    CAPTURE(name);
    CHECK_FALSE(entry_for_order(payload.dump(), 0, kTime).ok());
  }
  for (const auto& [name, value] : std::vector<std::pair<const char*, Json>>{
           {"type", ""},
           {"type", 1},
           {"provider", "Vård"},
           {"provider", std::string(33, 'a')},
           {"hub", "short"},
           {"hub", kResident},
           {"hub", kHub + "="},
           {"resident", kHub},
           {"resident", 5},
           {"signers", Json::object()},
           {"signers", Json::array({person("anna")})},
           {"signers", Json::array({signer("", "operator")})},
           {"signers", Json::array({signer(std::string(129, 'x').c_str(), "operator")})},
           {"signers", Json(std::vector<Json>(5, signer("anna", "operator")))}}) {
    Json payload = view_payload();
    payload[name] = value;
    CAPTURE(name, value.dump());
    CHECK_FALSE(entry_for_order(payload.dump(), 0, kTime).ok());
  }
}

TEST_CASE("an entry is read in its one spelling only", "[ledger][AUD-1]") {
  const std::string good = canonical_json(entry_json());
  REQUIRE(parse_entry(good).ok());
  CHECK(format_entry(*parse_entry(good)) == good);
  CHECK_FALSE(parse_entry(good + " ").ok());
  CHECK_FALSE(parse_entry(" " + good).ok());
  CHECK_FALSE(parse_entry(good + good).ok());
  CHECK_FALSE(parse_entry(entry_json().dump(2)).ok());
  CHECK_FALSE(parse_entry("").ok());
  std::string escaped = good;
  escaped.replace(escaped.find("event"), 1, "\\u0065");
  CHECK_FALSE(parse_entry(escaped).ok());
  const Json whole = entry_json();
  for (const auto& [name, value] : whole.items()) {
    Json entry = whole;
    entry.erase(name);
    CAPTURE(name);
    CHECK_FALSE(parse_entry(canonical_json(entry)).ok());
  }
}

TEST_CASE("an entry with a member of another form is refused", "[ledger][AUD-1]") {
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, Json>>{{"format", 2},
                                                 {"format", "1"},
                                                 {"kind", "rumour"},
                                                 {"kind", nullptr},
                                                 {"seq", -1},
                                                 {"seq", "0"},
                                                 {"time", "2026-11-22T20:15:00.000Z"},
                                                 {"time", nullptr},
                                                 {"what", ""},
                                                 {"what", "View Ended"},
                                                 {"provider", ""},
                                                 {"hub", "x"},
                                                 {"hub", ""},
                                                 {"resident", kHub},
                                                 {"hash", kResident},
                                                 {"details", ""},
                                                 {"reason", std::string(257, 'x')},
                                                 {"reason", 3},
                                                 {"who", nullptr},
                                                 {"who", Json::object()},
                                                 {"who", Json::array({signer("anna", "operator")})},
                                                 {"who", Json::array({"anna"})},
                                                 {"extra", 1}}) {
    Json entry = entry_json();
    entry[name] = value;
    CAPTURE(name, value.dump());
    CHECK_FALSE(parse_entry(canonical_json(entry)).ok());
  }
}
