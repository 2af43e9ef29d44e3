#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;

namespace {

// Flips one bit in each byte of each text in turn; `judged` must never say accepted.
void flip_every_byte(std::string& text, const std::function<bool()>& is_accepted) {
  REQUIRE(is_accepted());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char was = text[i];
    text[i] = static_cast<char>(was ^ (1 << (i % 7)));
    CAPTURE(i, text);
    if (is_accepted()) FAIL("accepted after a change");
    text[i] = was;
  }
}

}  // namespace

TEST_CASE("an order with one bit changed anywhere is never accepted", "[orders][IAM-1]") {
  const Scene s;
  const Order order = s.maker.order(s.view(), {&s.olle});
  Json json = *parse_json(order.text);
  const auto is_accepted = [&] {
    const auto parsed = parse_order(json.dump(-1, ' ', false, Json::error_handler_t::replace));
    return parsed.ok() && s.judged(*parsed).accepted();
  };
  auto& signature = json["signatures"][0];
  SECTION("payload") { flip_every_byte(json["payload"].get_ref<std::string&>(), is_accepted); }
  SECTION("signature") { flip_every_byte(signature["sig"].get_ref<std::string&>(), is_accepted); }
  SECTION("salt") { flip_every_byte(signature["salt"].get_ref<std::string&>(), is_accepted); }
  SECTION("key") {
    flip_every_byte(signature["key"]["x"].get_ref<std::string&>(), is_accepted);
    flip_every_byte(signature["key"]["y"].get_ref<std::string&>(), is_accepted);
  }
  SECTION("ID token") { flip_every_byte(signature["proof"]["id_token"].get_ref<std::string&>(), is_accepted); }
}

TEST_CASE("either signature of two with one bit changed is refused", "[orders][IAM-5]") {
  const Scene s;
  const Order order = s.maker.grant("nina", Role::kOperator);
  for (std::size_t which = 0; which < 2; ++which) {
    for (std::size_t byte = 0; byte < 64; ++byte) {
      Order changed = order;
      changed.signatures[which].sig[byte] ^= 1;
      CHECK(said(s.judged(changed)) == "refused bad_signature");
    }
  }
}

TEST_CASE("a root list or bundle with one bit changed anywhere is never taken", "[orders]") {
  const Scene s;
  std::string list = s.maker.root_list_envelope();
  const std::string list_payload = format_root_list(s.maker.root_list);
  flip_every_byte(list, [&] {
    const auto opened = open_root_list(list, s.maker.fleet_root);
    return opened.ok() && format_root_list(*opened) == list_payload;
  });
  std::string bundle = s.maker.bundle_envelope();
  const std::string bundle_payload = format_bundle(s.maker.bundle);
  flip_every_byte(bundle, [&] {
    const auto opened = open_bundle(bundle, s.maker.root_list);
    return opened.ok() && format_bundle(*opened) == bundle_payload;
  });
}

TEST_CASE("a device document with one bit changed anywhere is never opened", "[orders]") {
  const Scene s;
  const std::string payload = format(Countersign{s.home.hub, s.standing[1].hash, s.maker.now});
  std::string envelope = seal(DeviceKind::kCountersign, payload, s.device_key);
  flip_every_byte(envelope, [&] { return open(DeviceKind::kCountersign, envelope, s.device_key.public_key()).ok(); });
}
