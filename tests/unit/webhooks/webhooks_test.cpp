#include <set>

#include "relay/webhooks/queue.h"
#include "tests/unit/care/town.h"

namespace tillsyn::town {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Told : Town {
  Told() { secret = add("https://alarm.example/hook"); }

  std::string add(const std::string& url) {
    const auto one = webhooks::read_integration({{"url", url}, {"ca", nullptr}});
    REQUIRE(one.ok());
    const auto made = webhooks::add(provider(), *one, now);
    REQUIRE(made.ok());
    return *made;
  }
  void tell(const std::string& type = "alarm_raised") {
    REQUIRE(webhooks::enqueue(provider(), type, {{"id", "x"}}, now).ok());
  }
  std::vector<webhooks::Delivery> due() {
    const auto found = webhooks::due(provider(), now);
    REQUIRE(found.ok());
    return *found;
  }
  void answer(const std::string& id, std::optional<long> status) {
    REQUIRE(webhooks::tried(provider(), id, status, now).ok());
  }
  Json dead() {
    Json out = Json::array();
    const auto letters = webhooks::dead_letters(provider(), std::nullopt, 100);
    for (const auto& one : *letters) out.push_back(one.letter);
    return out;
  }

  std::string secret;
};

}  // namespace

TEST_CASE("signatures are those of Standard Webhooks", "[webhooks][INT-1]") {
  // The known answer of the specification's reference libraries.
  const auto signed_by = webhooks::signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                             1614265330, R"({"test": 2432232314})");
  REQUIRE(signed_by.ok());
  CHECK(*signed_by == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  CHECK_FALSE(webhooks::signature("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m", 1, "").ok());
  CHECK_FALSE(webhooks::signature("whsec_%%", "m", 1, "").ok());
}

TEST_CASE("only https addresses without user are taken", "[webhooks]") {
  for (const char* bad : {"http://a.example/", "https://", "https:///x", "https://u:p@a.example/",
                          "https://a.example/#f", "https://a b/", "ftp://a.example", "https://a.example/\n"}) {
    INFO(bad);
    CHECK_FALSE(webhooks::read_integration({{"url", bad}, {"ca", nullptr}}).ok());
  }
  CHECK(webhooks::read_integration({{"url", "https://a.example:8443/x?y=1"}, {"ca", nullptr}}).ok());
  CHECK_FALSE(webhooks::read_integration({{"url", "https://a.example/"}, {"ca", nullptr}, {"more", 1}}).ok());
  CHECK_FALSE(webhooks::read_integration({{"url", "https://a.example/"}}).ok());
}

TEST_CASE("each system has its own secret, sealed in the store, and its own message", "[webhooks]") {
  Told town;
  const auto other = town.add("https://other.example/");
  CHECK(other != town.secret);
  CHECK(other.starts_with("whsec_"));
  const auto stored = town.provider().database.select<std::string>("select sealed from integrations");
  for (const auto& [sealed] : *stored) CHECK(sealed.find(town.secret.substr(6, 20)) == std::string::npos);
  town.tell();
  const auto due = town.due();
  REQUIRE(due.size() == 2);
  CHECK(due[0].id != due[1].id);
  CHECK(std::set{due[0].secret, due[1].secret} == std::set{town.secret, other});
  CHECK(Json::parse(due[0].body)["timestamp"] == format_instant(kNow));
}

TEST_CASE("what was taken is not sent again, what was not is, later and later, under the same id", "[webhooks]") {
  Told town;
  town.tell();
  const auto first = town.due().at(0);
  town.answer(first.id, 503);
  CHECK(town.due().empty());
  town.now += seconds(5);
  REQUIRE(town.due().size() == 1);
  CHECK(town.due().at(0).id == first.id);
  CHECK(town.due().at(0).body == first.body);
  town.answer(first.id, std::nullopt);
  town.now += seconds(14);
  CHECK(town.due().empty());
  town.now += seconds(1);
  town.answer(town.due().at(0).id, 204);
  town.now += hours(1000);
  CHECK(town.due().empty());
  CHECK(town.dead().empty());
}

TEST_CASE("the queue is there after a restart, in its sequence", "[webhooks]") {
  Told town;
  town.tell("first");
  town.tell("second");
  const auto id = town.due().at(0).id;
  town.start();
  REQUIRE(town.due().size() == 1);
  CHECK(town.due().at(0).id == id);
  CHECK(Json::parse(town.due().at(0).body)["type"] == "first");
  town.answer(id, 200);
  CHECK(Json::parse(town.due().at(0).body)["type"] == "second");
}

TEST_CASE("what cannot be delivered becomes a dead letter, is in the log, and can be sent again", "[webhooks]") {
  Told town;
  town.tell();
  const auto id = town.due().at(0).id;
  SECTION("after every try") {
    for (std::size_t i = 0; i < std::size(webhooks::kRetries); ++i) {
      INFO(i);
      REQUIRE(town.due().size() == 1);
      town.answer(id, 500);
      CHECK(town.dead().empty());
      town.now += webhooks::kRetries[i];
    }
    town.answer(town.due().at(0).id, 500);
  }
  SECTION("at once when it is gone for good") { town.answer(id, 410); }
  CHECK(town.due().empty());
  REQUIRE(town.dead().size() == 1);
  CHECK(town.dead().at(0)["id"] == id);
  CHECK(town.newest().what == "webhook_dead");
  REQUIRE(webhooks::send_again(town.provider(), id, town.now).ok());
  CHECK(town.due().at(0).id == id);
  CHECK(town.dead().empty());
  CHECK(webhooks::send_again(town.provider(), id, town.now).error().code == Code::kNotFound);
}

TEST_CASE("a redirect or a refusal is no delivery", "[webhooks]") {
  Told town;
  for (const long status : {100L, 301L, 400L, 404L, 500L}) {
    town.tell();
    const auto id = town.due().at(0).id;
    town.answer(id, status);
    CHECK(town.due().empty());
    town.now += seconds(5);
    town.answer(id, 200);
  }
}

TEST_CASE("a system that has ended is told nothing more", "[webhooks]") {
  Told town;
  town.tell();
  const auto id = webhooks::list(town.provider())->at(0).id;
  REQUIRE(webhooks::end(town.provider(), id, town.now).ok());
  CHECK(town.due().empty());
  town.tell();
  CHECK(town.due().empty());
  CHECK(webhooks::end(town.provider(), id, town.now).error().code == Code::kNotFound);
}

TEST_CASE("there is an end to how many systems are told", "[webhooks]") {
  Told town;
  for (std::size_t i = 1; i < webhooks::kMaxIntegrations; ++i) town.add("https://a.example/" + std::to_string(i));
  const auto one = webhooks::read_integration({{"url", "https://a.example/"}, {"ca", nullptr}});
  CHECK(webhooks::add(town.provider(), *one, town.now).error().reason == "too_many");
}

}  // namespace tillsyn::town
