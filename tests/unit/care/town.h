#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "common/orders/device_documents.h"
#include "relay/api/desks.h"
#include "relay/api/routes.h"
#include "relay/api/services.h"
#include "relay/care/orders.h"
#include "relay/store/key_file.h"
#include "tests/fakes/order_maker.h"

namespace tillsyn::town {

using fakes::Home;
using fakes::OrderMaker;
using fakes::Staff;
using orders::Role;

inline const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");

// A relay's store in a folder of its own, with the trust documents of a municipality whose ledger key it really holds.
struct Town {
  Town() : maker(kNow) {
    // In memory where there is such a place: what the disk does is the store's test.
    const std::filesystem::path memory = "/dev/shm";
    const auto parent = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "tillsyn-town-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    auto key = store::ledger_key(folder, OrderMaker::kProvider);
    REQUIRE(key.ok());
    maker.root_list.providers[0].ledger_key.public_key = key->public_key();
    start();
    REQUIRE(services->take_root_list(maker.root_list_envelope()).ok());
    REQUIRE(services->take_bundle(maker.bundle_envelope()).ok());
  }
  ~Town() {
    services.reset();
    std::filesystem::remove_all(folder);
  }
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  void start() {
    services.reset();
    auto opened = api::Services::open(folder, maker.fleet_root, [this] { return now; });
    REQUIRE(opened.ok());
    services = std::move(*opened);
  }

  care::Provider& provider() {
    auto held = services->provider(OrderMaker::kProvider);
    REQUIRE(held.ok());
    return **held;
  }
  care::Trusted trusted() { return *services->trust().trusted(); }

  Result<care::Accepted> post(const orders::Order& order) {
    return care::accept_order(provider(), trusted(), order.text, std::nullopt, order.payload.common.signers[0].person,
                              now);
  }
  void must_post(const orders::Order& order) {
    const auto done = post(order);
    INFO(orders::type_name(order.payload.body) << ": " << (done ? "" : done.error().reason));
    REQUIRE(done.ok());
  }
  void hire() {
    for (const auto& grant : maker.staff_grants()) must_post(grant);
  }

  // Enrols a hub with this device key, as its technician and link do.
  hubs::Hub enrol(const crypto::P256PrivateKey& device_key, std::int64_t n = 1) {
    const auto link =
        fakes::p256_key("link of " + device_key.public_key().thumbprint_text() + std::to_string(n)).public_key();
    const auto code =
        services->enrolment().make_code(OrderMaker::kProvider, device_key.public_key().thumbprint_text(), now);
    REQUIRE(code.ok());
    api::HubDesk desk(*services);
    const auto hub = desk.enrol(code->code, link_key(device_key, link, n), link.point());
    REQUIRE(hub.ok());
    return *hub;
  }
  static Json link_key(const crypto::P256PrivateKey& device_key, const crypto::P256PublicKey& link,
                       std::int64_t n = 1) {
    const orders::LinkKey request{device_key.public_key(), link, n};
    return Json::parse(orders::seal(orders::DeviceKind::kLinkKey, orders::format(request), device_key));
  }

  // The texts of the log's entries from `from` on, as values.
  std::vector<ledger::Entry> log(std::uint64_t from = 0) {
    std::vector<ledger::Entry> out;
    const auto texts = provider().ledger->entries(from, 1000);
    REQUIRE(texts.ok());
    for (const auto& text : *texts) out.push_back(*ledger::parse_entry(text));
    return out;
  }
  ledger::Entry newest() { return log().back(); }

  Instant now = kNow;
  OrderMaker maker;
  std::filesystem::path folder;
  std::unique_ptr<api::Services> services;
};

// A hub's side: what its device key signs.
struct TestHub {
  explicit TestHub(const std::string& name) : device_key(fakes::p256_key(name)) {}

  std::string id() const { return device_key.public_key().thumbprint_text(); }
  Home home() const {
    Home out;
    out.hub = id();
    return out;
  }
  Json seal(orders::DeviceKind kind, const std::string& payload) const {
    return Json::parse(orders::seal(kind, payload, device_key));
  }
  Json countersign(const orders::Hash& order) const {
    return seal(orders::DeviceKind::kCountersign, orders::format(orders::Countersign{id(), order, kNow}));
  }
  Json receipt(const orders::Hash& order, orders::Verdict::Kind verdict, std::optional<std::string> reason = {}) const {
    return seal(orders::DeviceKind::kReceipt,
                orders::format(orders::Receipt{id(), order, verdict, std::move(reason), {}, {}, {}, kNow}));
  }
  orders::Event event(std::int64_t n, std::optional<orders::Hash> prev,
                      const std::string& kind = "clock_trusted") const {
    orders::Event out;
    out.hub = id();
    out.n = n;
    out.prev = prev;
    out.time = kNow;
    out.kind = kind;
    return out;
  }
  Json seal(const orders::Event& event) const { return seal(orders::DeviceKind::kEvent, orders::format(event)); }
  static orders::Hash hash(const orders::Event& event) {
    return orders::document_hash(orders::DeviceKind::kEvent, orders::format(event));
  }

  crypto::P256PrivateKey device_key;
};

inline Json status(const std::vector<orders::SlotEntry>& slots = {}) {
  return {{"slots", orders::slots_json(slots)}, {"root_list", 3}, {"ledger", {{"size", 0}, {"root", nullptr}}}};
}

}  // namespace tillsyn::town
