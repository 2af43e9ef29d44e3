#include "relay/http/admission.h"

#include <catch2/catch.hpp>

namespace tillsyn::http {
namespace {

using std::chrono::milliseconds;

const Admission::Clock::time_point kStart{};

Share share(const char* provider, const char* caller) { return {Urgency::kList, provider, caller}; }

// A connection that knows whether its place has been given to another.
struct Place {
  bool is_evicted = false;
  std::unique_ptr<Admission::Ticket> ticket;
};

struct House {
  Admission admission;
  explicit House(const Limits& limits) : admission(limits) {}

  std::unique_ptr<Place> enter(const char* peer) {
    auto place = std::make_unique<Place>();
    place->ticket = admission.enter(peer, [raw = place.get()] { raw->is_evicted = true; });
    return place->ticket ? std::move(place) : nullptr;
  }
  std::unique_ptr<Place> served(const char* peer, Traffic traffic = Traffic::kStaff, const char* provider = "") {
    auto place = enter(peer);
    REQUIRE(place);
    REQUIRE(admission.classify(*place->ticket, traffic, provider) == nullptr);
    return place;
  }
};

TEST_CASE("a caller's budget comes back with time", "[http]") {
  Limits limits;
  limits.request_burst = 2;
  limits.requests_per_second = 1;
  Admission admission(limits);
  const auto allows = [&](const char* peer, milliseconds later) {
    return admission.refuse_request(share("", peer), Traffic::kStaff, kStart + later) == nullptr;
  };
  CHECK(allows("a", milliseconds(0)));
  CHECK(allows("a", milliseconds(0)));
  CHECK_FALSE(allows("a", milliseconds(0)));
  CHECK(allows("b", milliseconds(0)));
  CHECK_FALSE(allows("a", milliseconds(500)));
  CHECK(allows("a", milliseconds(1100)));
  CHECK_FALSE(allows("a", milliseconds(1200)));
}

TEST_CASE("a provider's budget is shared by its callers, its hubs' apart from its staff's", "[http][AVA-6]") {
  Limits limits;
  limits.provider_request_burst = limits.provider_hub_request_burst = 2;
  Admission admission(limits);
  const auto why = [&](const char* provider, const char* caller, Traffic traffic) -> std::string {
    const char* refusal = admission.refuse_request(share(provider, caller), traffic, kStart);
    return refusal == nullptr ? "" : refusal;
  };
  CHECK(why("nord", "1", Traffic::kStaff).empty());
  CHECK(why("nord", "2", Traffic::kStaff).empty());
  CHECK(why("nord", "3", Traffic::kStaff) == "provider_rate");
  CHECK(why("nord", "4", Traffic::kHub).empty());
  CHECK(why("syd", "1", Traffic::kStaff).empty());
}

TEST_CASE("a place is given back when its connection ends", "[http]") {
  Limits limits;
  limits.max_hubs = 1;
  House house(limits);
  auto first = house.served("a", Traffic::kHub);
  auto second = house.enter("b");
  CHECK(house.admission.classify(*second->ticket, Traffic::kHub, "") == std::string_view("class_full"));
  first.reset();
  CHECK(house.admission.connections(Traffic::kHub) == 0);
  house.served("c", Traffic::kHub);
}

TEST_CASE("a handshake makes room, of the peer that has most under way", "[http][AVA-6]") {
  Limits limits;
  limits.max_handshaking = 3;
  House house(limits);
  const auto honest = house.enter("honest");
  const auto first = house.enter("crowd");
  const auto second = house.enter("crowd");
  const auto third = house.enter("crowd");
  CHECK(third);
  CHECK(first->is_evicted);
  CHECK_FALSE(second->is_evicted);
  CHECK_FALSE(honest->is_evicted);
}

TEST_CASE("a stranger that has asked nothing longest makes room; whoever is served, or known, stays", "[http][AVA-6]") {
  Limits limits;
  limits.max_staff = 3;
  House house(limits);
  const auto known = house.served("a", Traffic::kStaff);
  house.admission.is_idle(*known->ticket);
  REQUIRE(house.admission.belongs(*known->ticket, "nord") == nullptr);
  house.admission.is_idle(*known->ticket);
  const auto busy = house.served("a");
  house.admission.is_idle(*busy->ticket);
  house.admission.is_served(*busy->ticket);
  const auto idle = house.served("a");
  house.admission.is_idle(*idle->ticket);
  const auto next = house.served("b");
  CHECK(idle->is_evicted);
  CHECK_FALSE(busy->is_evicted);
  CHECK_FALSE(known->is_evicted);
  const auto last = house.enter("c");
  CHECK(house.admission.classify(*last->ticket, Traffic::kStaff, "") == std::string_view("class_full"));
  CHECK(house.admission.connections(Traffic::kStaff) == 3);
}

TEST_CASE("a peer's strangers are counted, not those that a provider knows", "[http][AVA-6]") {
  Limits limits;
  limits.max_per_peer = 1;
  House house(limits);
  const auto staff = house.served("office");
  REQUIRE(house.admission.belongs(*staff->ticket, "nord") == nullptr);
  const auto hub = house.served("office", Traffic::kHub, "nord");
  const auto stranger = house.served("office");
  CHECK_FALSE(house.enter("office"));
  house.admission.is_idle(*stranger->ticket);
  CHECK(house.enter("office"));
  CHECK(stranger->is_evicted);
}

TEST_CASE("a provider has so many connections of a class", "[http][AVA-6]") {
  Limits limits;
  limits.max_staff_of_provider = 1;
  House house(limits);
  auto first = house.served("a", Traffic::kStaff, "nord");
  const auto hub = house.served("a", Traffic::kHub, "nord");
  const auto other = house.served("a", Traffic::kStaff, "syd");
  const auto second = house.served("b");
  CHECK(house.admission.belongs(*second->ticket, "nord") == std::string_view("provider_connections"));
  first.reset();
  CHECK(house.admission.belongs(*second->ticket, "nord") == nullptr);
}

TEST_CASE("the end of a connection whose place was given away counts nothing twice", "[http][AVA-6]") {
  Limits limits;
  limits.max_per_peer = 1;
  House house(limits);
  auto first = house.enter("a");
  auto second = house.enter("a");
  CHECK(first->is_evicted);
  CHECK(house.admission.classify(*first->ticket, Traffic::kStaff, "nord") == std::string_view("place_given_away"));
  first.reset();
  CHECK(house.admission.classify(*second->ticket, Traffic::kStaff, "") == nullptr);
  CHECK_FALSE(house.enter("a"));  // the second is not idle, and counts
  CHECK(house.admission.connections(Traffic::kStaff) == 1);
}

}  // namespace
}  // namespace tillsyn::http
