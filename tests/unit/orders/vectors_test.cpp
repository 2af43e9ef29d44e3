#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/unit/orders/scene.h"

// tests/vectors/orders.json, which the staff app's implementation runs as well.
using namespace tillsyn;
using namespace tillsyn::test;

namespace {

std::string file_text() {
  std::ifstream in(TILLSYN_VECTORS "/orders.json");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const Json& vectors() {
  static const Json parsed = Json::parse(file_text());
  return parsed;
}

FleetRoot fleet_root() { return *parse_fleet_root(vectors()["fleet_root"].get<std::string>()); }
RootList root_list() { return *open_root_list(vectors()["root_list"].get<std::string>(), fleet_root()); }

void put(OrderBook& book, const std::string& text) {
  const Order order = *parse_order(text);
  book.put(order);
  book.countersigned(order.hash);
}

OrderBook book_with(std::size_t held) {
  OrderBook out;
  for (std::size_t i = 0; i < held; ++i) put(out, vectors()["held"][i]);
  return out;
}

Json reason_of(const Verdict& verdict) { return verdict.accepted() ? Json() : Json(verdict.reason); }
template <typename T>
Json reason_of(const Result<T>& result) {
  return result.ok() ? Json() : Json(result.error().reason);
}

Verdict judged(const Json& item, const RootList& list) {
  const auto order = parse_order(item["order"].get<std::string>());
  if (!order) return verdict_of(order.error());
  OrderBook book = book_with(item.value("held", vectors()["held"].size()));
  for (const auto& text : item.value("put", Json::array())) put(book, text);
  const auto bundle = open_bundle(vectors()["bundles"][item.value("bundle", "usual")].get<std::string>(), list);
  REQUIRE(bundle.ok());
  const Instant now = at(item.value("now", vectors()["now"].get<std::string>()).c_str());
  return book.judge_and_check(*order, vectors()["provider"].get<std::string>(), list, *bundle, now);
}

}  // namespace

TEST_CASE("every order of the shared vectors gets the verdict that is written beside it", "[orders][IAM-2][IAM-5]") {
  const RootList list = root_list();
  for (const Json& item : vectors()["cases"]) {
    CAPTURE(item["name"].get<std::string>());
    const Verdict verdict = judged(item, list);
    CHECK(verdict_name(verdict.kind) == item["verdict"]);
    CHECK(reason_of(verdict) == item["reason"]);
  }
}

TEST_CASE("every root list and bundle of the shared vectors is taken or refused as written", "[orders]") {
  const RootList list = root_list();
  for (const Json& item : vectors()["trust"]) {
    CAPTURE(item["name"].get<std::string>());
    const std::string envelope = item["envelope"];
    const bool is_list = item["kind"] == "root-list";
    CHECK((is_list ? reason_of(open_root_list(envelope, fleet_root())) : reason_of(open_bundle(envelope, list))) ==
          item["reason"]);
  }
}

TEST_CASE("heads, documents and bindings of the shared vectors come out as written", "[orders]") {
  for (const Json& item : vectors()["heads"]) {
    const OrderBook book = book_with(item["held"]);
    const std::string hub = item["hub"];
    const std::string resident = item["resident"];
    CHECK(slots_json(book.slots(hub, resident)) == item["slots"]);
    CHECK(to_base64url(book.head(hub, resident)) == item["head"]);
  }
  const auto device_key = *crypto::P256PublicKey::from_jwk(vectors()["device_key"]);
  for (const Json& item : vectors()["documents"]) {
    CAPTURE(item["name"].get<std::string>());
    const bool is_receipt = item["kind"] == "receipt";
    const bool is_answer = item["kind"] == "answer";
    const auto kind = is_receipt ? DeviceKind::kReceipt : is_answer ? DeviceKind::kAnswer : DeviceKind::kCountersign;
    const auto opened = open(kind, item["envelope"].get<std::string>(), device_key);
    CHECK(reason_of(opened) == item["reason"]);
    if (opened) CHECK(to_base64url(document_hash(kind, *opened)) == item["hash"]);
  }
  const Json& bindings = vectors()["bindings"];
  const auto key = *crypto::P256PublicKey::from_jwk(bindings["key"]);
  const auto salt = *from_base64url_exact<32>(bindings["salt"].get<std::string>());
  CHECK(staff_nonce(key.thumbprint(), salt) == bindings["nonce"]);
}

TEST_CASE("the shared vectors are those that their program makes", "[orders]") {
  FILE* pipe = popen(TILLSYN_MAKE_ORDERS, "r");
  REQUIRE(pipe != nullptr);
  std::string made;
  char buffer[4096];
  while (const std::size_t size = fread(buffer, 1, sizeof buffer, pipe)) made.append(buffer, size);
  CHECK(pclose(pipe) == 0);
  CHECK((made == file_text()));
}
