#pragma once

#include <functional>
#include <string>

#include "common/crypto/hash.h"
#include "common/ledger/tree.h"
#include "common/orders/bindings.h"
#include "common/orders/consent_bounds.h"
#include "common/orders/device_documents.h"
#include "common/orders/judge.h"
#include "common/orders/order_book.h"
#include "tests/fakes/order_maker.h"

// What most tests of this folder start from: staff with their grants, one hub in one home.
namespace tillsyn::test {

using namespace tillsyn::orders;
using fakes::Home;
using fakes::OrderMaker;
using fakes::Staff;

inline Instant at(const char* text) { return *parse_instant(text); }

struct Scene {
  OrderMaker maker{at("2026-11-22T20:15:00Z")};
  crypto::P256PrivateKey device_key = fakes::p256_key("device");
  Home home{device_key.public_key().thumbprint_text()};

  Staff mia = maker.login("mia", Role::kManager);
  Staff rut = maker.login("rut", Role::kRightsAdmin);
  Staff olle = maker.login("olle", Role::kOperator);
  Staff pia = maker.login("pia", Role::kPlanner);
  Staff per = maker.login("per", Role::kPlanner);
  Staff carin = maker.login("carin", Role::kCareManager);
  Staff carl = maker.login("carl", Role::kCareManager);
  Staff inga = maker.login("inga", Role::kInstaller);
  Staff tore = maker.login("tore", Role::kTechnician);

  std::vector<Order> grants = maker.staff_grants();
  std::vector<Order> standing = maker.home_orders(home, device_key.public_key());
  OrderBook staff_book = OrderMaker::book_of({grants});      // only the grants
  OrderBook book = OrderMaker::book_of({grants, standing});  // the home in force as well

  JudgeContext context() const { return {OrderMaker::kProvider, maker.root_list, maker.bundle, staff_book, maker.now}; }
  Verdict judged(const Order& order) const { return judge(order, context()); }

  View view() const {
    return maker.view(home, fakes::p256_key("viewer").public_key(), fakes::bytes32("challenge"),
                      book.head(home.hub, home.resident));
  }
  Outcome outcome(OutcomeKind kind) const {
    Outcome out{kind, home.resident, home.group, {"w1", *civil::parse_date("2026-11-22")}, {}, {}, {}};
    if (kind == OutcomeKind::kCompleted || kind == OutcomeKind::kNotSeen) {
      out.answer = fakes::bytes32("answer");
    } else {
      out.reason = "the camera did not open";
    }
    return out;
  }
  Pause pause() const { return {home.resident, home.home, home.group, maker.now + std::chrono::hours(48), "hospital"}; }
  Pause long_pause() const {
    return {home.resident, home.home, home.group, maker.now + std::chrono::hours(72) + std::chrono::seconds(1), "away"};
  }
  View test_view() const {
    View out = view();
    out.is_test = true;
    return out;
  }
  Resume resume() const { return {home.resident, home.home, home.group}; }
  Release release() const { return {home.hub, home.resident, home.home, home.group, "moved out"}; }
  Consent withdrawal() const { return {home.resident, home.home, home.group, std::nullopt}; }
  Revoke revoke(const Staff& staff) const { return {staff.person, maker.now, "left"}; }
};

// "accepted", or "refused wrong_role".
inline std::string said(const Verdict& verdict) {
  if (verdict.accepted()) return "accepted";
  return std::string(verdict_name(verdict.kind)) + " " + verdict.reason;
}
template <typename T>
std::string said(const Result<T>& result) {
  return result.ok() ? "accepted" : said(verdict_of(result.error()));
}

}  // namespace tillsyn::test
