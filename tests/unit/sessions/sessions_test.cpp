#include "relay/sessions/sessions.h"

#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "relay/hubs/routes.h"
#include "relay/sessions/messages.h"
#include "tests/unit/hubs/fake_hub_desk.h"
#include "tests/unit/sessions/frames.h"
#include "tests/unit/sessions/page.h"

using namespace tillsyn;
using test::Client;
using test::code_of;
using test::frame_bytes;
using test::Page;

namespace {

const std::string kStream = to_base64url(Bytes(16, 1));
const std::string kOtherStream = to_base64url(Bytes(16, 2));

// A view desk in memory: token "good" is a viewer; an order {"payload": hash} is entered under that hash, for hub-a.
class FakeViewDesk : public sessions::Desk {
 public:
  Result<sessions::Viewer> authenticate(const std::string& token) override {
    const std::lock_guard lock(mutex_);
    ++activity_;
    if (token != "good" || has_ended_) return refused("no_session", "log in again");
    return sessions::Viewer{"p", "https://idp", "anna", Instant::max()};
  }
  Result<sessions::Viewer> look_up(const std::string& token) override {
    auto viewer = authenticate(token);
    const std::lock_guard lock(mutex_);
    --activity_;
    ++looks_;
    return viewer;
  }
  Result<sessions::EnteredView> accept_view(const sessions::Viewer&, const std::string& order) override {
    const std::string hash = (*parse_json(order))["payload"].get<std::string>();
    if (hash == "bad") return refused("no_grant", "you have no right to look here");
    return sessions::EnteredView{hash, "p", "hub-a", "resident", order, 7, "2026-11-22T20:15:00Z"};
  }
  Result<std::string> offer(const sessions::EnteredView& view, const Json&) override {
    if (view.hash == "forked") return refused("ledger_forked", "the hub knows another log");
    return "\"" + view.hash + "\"";
  }
  Result<void> saw(const sessions::EnteredView& view, const std::string& what, const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    seen_.push_back(view.hash + " " + what + " " + reason);
    return {};
  }

  void end_session() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  int activity() const {
    const std::lock_guard lock(mutex_);
    return activity_;
  }
  int looks() const {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  bool has_ended_ = false;
  int activity_ = 0;
  int looks_ = 0;
};

sessions::Times long_times() {
  const auto long_time = std::chrono::hours(1);
  return {.authenticate = long_time,
          .answer = long_time,
          .upload_idle = long_time,
          .recheck = long_time,
          .linger = std::chrono::milliseconds(100)};
}

struct Relay {
  explicit Relay(sessions::Times times = long_times())
      : server([&](http::Router& router, http::Executor loop, http::Workers& workers) {
          store = &workers;
          const auto long_time = std::chrono::hours(1);
          hubs = std::make_unique<hubs::Hubs>(loop, workers, hub_desk, [] { return hubs::Hubs::Time::clock::now(); });
          routes =
              std::make_unique<hubs::Routes>(*hubs, hub_desk, workers, hubs::Times{long_time, long_time, long_time});
          sessions =
              std::make_unique<sessions::Sessions>(sessions::Sessions::Parts{loop, workers, *hubs, view_desk, times});
          routes->add_to(router);
          sessions->add_to(router);
        }) {
    hub_desk.enrol_key(link.point(), {"hub-a", "p"});
    hub_desk.enrol_key(other_link.point(), {"hub-b", "p"});
  }

  // The hub's poll, held until there is something to say.
  std::future<Json> poll() {
    auto answer = std::async(std::launch::async, [this] {
      Client client(server.port(), {.identity = &link});
      return *parse_json(client.post("/hub/v1/poll", R"({"format":1,"status":{"challenge":"c"}})").body());
    });
    bool is_held = false;
    while (!is_held) server.on_loop([&] { is_held = hubs->is_online("hub-a"); });
    return answer;
  }
  void answer(const std::string& hash, const std::string& stream, const test::Identity* as = nullptr) {
    Client client(server.port(), {.identity = as != nullptr ? as : &link});
    const Json payload = {
        {"type", "answer"}, {"order", hash}, {"stream", stream.empty() ? Json(nullptr) : Json(stream)}};
    Json report = {{"format", 1},
                   {"status", nullptr},
                   {"receipts", Json::array()},
                   {"countersigns", Json::array()},
                   {"events", Json::array()}};
    report["answers"] = Json::array({{{"payload", payload.dump()}, {"sig", "s"}}});
    CHECK(client.post("/hub/v1/report", report.dump()).result_int() == 200);
  }
  // What the relay has entered of views, once it has entered all.
  std::vector<std::string> seen() {
    bool idle = false;
    while (!idle) server.on_loop([&] { idle = store->waiting() == 0; });
    return view_desk.seen();
  }

  test::Identity link;
  test::Identity other_link;
  test::FakeHubDesk hub_desk;
  FakeViewDesk view_desk;
  http::Workers* store = nullptr;
  std::unique_ptr<hubs::Hubs> hubs;
  std::unique_ptr<hubs::Routes> routes;
  std::unique_ptr<sessions::Sessions> sessions;
  test::RunningServer server;
};

std::string view_of_hash(const std::string& hash) { return R"({"type":"view","order":{"payload":")" + hash + "\"}}"; }

void log_in(Page& page) {
  page.say(R"({"type":"authenticate","token":"good"})");
  CHECK(page.read_text("ready").is_object());
}

// Logs in and asks for the view "v1", which the hub has been offered when this ends.
void ask(Page& page, Relay& relay) {
  log_in(page);
  auto poll = relay.poll();
  page.say(view_of_hash("v1"));
  poll.get();
}

// An upload as curl makes it: header, then frames in chunks.
struct HubUpload {
  HubUpload(Relay& relay, const std::string& stream, const test::Identity& link)
      : client(relay.server.port(), {.identity = &link}) {
    client.write_raw("POST /hub/v1/streams/" + stream + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  }
  void send(const Bytes& bytes) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    client.write_raw(size + text_of(bytes) + "\r\n");
  }
  void finish() { client.write_raw("0\r\n\r\n"); }
  // What has come back, up to and with `end`.
  std::string read_until(const std::string& end) {
    while (received.find(end) == std::string::npos) received += client.read_some();
    return received;
  }
  Client client;
  std::string received;
};

// A page that looks at hub-a, whose stream runs.
struct Running {
  explicit Running(Relay& relay) : page(relay.server.port()) {
    log_in(page);
    auto poll = relay.poll();
    page.say(view_of_hash("v1"));
    CHECK(page.read_text("offered")["entry"]["seq"] == 7);
    CHECK(poll.get()["views"] == Json::array({"v1"}));
    relay.answer("v1", kStream);
    CHECK(page.read_text("answer")["answer"]["sig"] == "s");
    upload = std::make_unique<HubUpload>(relay, kStream, relay.link);
    upload->read_until("\r\n\r\n");
  }
  Page page;
  std::unique_ptr<HubUpload> upload;
};

Bytes life_of(const std::string& stream) {
  Bytes life = *from_base64url(stream);
  life.resize(64, 0x5a);
  return life;
}

}  // namespace

TEST_CASE("a view goes to the hub, its answer to the viewer, and the frames after it", "[sessions]") {
  Relay relay;
  Running view(relay);
  const Bytes first = frame_bytes(sframe::kKeyFrame, 1000, 50'000);
  const Bytes second = frame_bytes(0, 1066);
  view.upload->send(first);
  view.upload->send(second);
  CHECK(view.page.read_frame() == text_of(first));
  CHECK(view.page.read_frame() == text_of(second));
  view.upload->send(frame_bytes(sframe::kEnd, 1100));
  view.upload->finish();
  CHECK(view.page.read_frame() == text_of(frame_bytes(sframe::kEnd, 1100)));
  CHECK(view.page.read_text("end").is_object());
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_stopped hub_ended"});
}

TEST_CASE("frames arrive whole whatever chunks they came in", "[sessions]") {
  Relay relay;
  Running view(relay);
  const Bytes wire = frame_bytes(sframe::kKeyFrame, 1000, 300);
  for (const auto byte : wire) view.upload->send({byte});
  CHECK(view.page.read_frame() == text_of(wire));
}

TEST_CASE("the viewer's signs of life reach the hub verbatim", "[sessions]") {
  Relay relay;
  Running view(relay);
  const Bytes life = life_of(kStream);
  view.page.send_binary(life_of(kOtherStream));  // of no stream that runs
  view.page.send_binary(life);
  const auto received = view.upload->read_until("40\r\n" + text_of(life) + "\r\n");
  CHECK(received.find(text_of(life_of(kOtherStream))) == std::string::npos);
}

TEST_CASE("when the viewer goes the hub is told at once", "[sessions]") {
  for (const bool politely : {true, false}) {
    CAPTURE(politely);
    Relay relay;
    auto view = std::make_unique<Running>(relay);
    auto upload = std::move(view->upload);
    if (politely) view->page.say(R"({"type":"end"})");
    if (!politely) view.reset();
    CHECK(upload->read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
    CHECK(upload->client.is_closed_by_peer());
    CHECK(relay.seen() ==
          std::vector<std::string>{politely ? "v1 view_stopped viewer_ended" : "v1 view_stopped viewer_gone"});
  }
}

TEST_CASE("when the hub goes the viewer is told at once", "[sessions][AVA-1]") {
  Relay relay;
  Running view(relay);
  view.upload->send(frame_bytes(sframe::kKeyFrame, 1000));
  view.upload.reset();
  CHECK(view.page.read_text("end").is_object());
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_stopped hub_gone"});
}

TEST_CASE("a stream that breaks the frame format is ended", "[sessions]") {
  Relay relay;
  Running view(relay);
  Bytes bad = frame_bytes(sframe::kKeyFrame, 1000);
  bad[0] = 0xff;
  view.upload->send(bad);
  CHECK(view.page.read_text("end").is_object());
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_stopped frame"});
}

TEST_CASE("a hub cannot send to another hub's stream", "[sessions][IAM-10]") {
  Relay relay;
  Running view(relay);
  HubUpload foreign(relay, kStream, relay.other_link);
  CHECK(code_of(foreign.client.read()) == "no_such_stream");
  HubUpload second(relay, kStream, relay.link);
  CHECK(code_of(second.client.read()) == "stream_taken");
  HubUpload unknown(relay, kOtherStream, relay.link);
  CHECK(code_of(unknown.client.read()) == "no_such_stream");
  view.upload->send(frame_bytes(sframe::kKeyFrame, 1000));
  CHECK(view.page.read_frame() == text_of(frame_bytes(sframe::kKeyFrame, 1000)));
}

TEST_CASE("a stream that is there before its answer waits for it", "[sessions][SES-7]") {
  Relay relay;
  Page page(relay.server.port());
  ask(page, relay);
  HubUpload early(relay, kStream, relay.link);
  HubUpload wrong(relay, kOtherStream, relay.link);
  HubUpload foreign(relay, kStream, relay.other_link);
  CHECK(code_of(foreign.client.read()) == "no_such_stream");  // nobody awaits an answer of that hub
  early.send(frame_bytes(sframe::kKeyFrame, 1000));
  relay.answer("v1", kStream);
  CHECK(page.read_text("answer").is_object());
  CHECK(page.read_frame() == text_of(frame_bytes(sframe::kKeyFrame, 1000)));
  CHECK(code_of(wrong.client.read()) == "no_such_stream");
}

TEST_CASE("a stream whose answer never comes is refused when the viewer is", "[sessions][SES-7]") {
  auto times = long_times();
  times.answer = std::chrono::milliseconds(200);
  Relay relay(times);
  Page page(relay.server.port());
  ask(page, relay);
  HubUpload early(relay, kStream, relay.link);
  CHECK(page.read_text("problem")["code"] == "hub_silent");
  CHECK(code_of(early.client.read()) == "no_such_stream");
}

TEST_CASE("a stream without client certificate or without chunks is refused", "[sessions][IAM-10]") {
  Relay relay;
  Client stranger(relay.server.port());
  CHECK(code_of(stranger.post("/hub/v1/streams/" + kStream, "x")) == "no_client_certificate");
  Page page(relay.server.port());
  ask(page, relay);
  relay.answer("v1", kStream);
  page.read_text("answer");
  Client hub(relay.server.port(), {.identity = &relay.link});
  CHECK(code_of(hub.post("/hub/v1/streams/" + kStream, "x")) == "not_chunked");
}

TEST_CASE("another hub's answer reaches nobody", "[sessions][IAM-10]") {
  Relay relay;
  Page page(relay.server.port());
  ask(page, relay);
  relay.answer("v1", kOtherStream, &relay.other_link);
  relay.answer("v1", kStream);
  CHECK(page.read_text("answer")["answer"]["payload"].get<std::string>().find(kStream) != std::string::npos);
}

TEST_CASE("a closed answer ends the view and says why", "[sessions][SES-7]") {
  Relay relay;
  Page page(relay.server.port());
  ask(page, relay);
  relay.answer("v1", "");
  CHECK(page.read_text("answer").is_object());
  HubUpload upload(relay, kStream, relay.link);
  CHECK(code_of(upload.client.read()) == "no_such_stream");
}

TEST_CASE("a hub that does not answer in time is a failed view, told and entered", "[sessions][SES-7][LOG-9]") {
  auto times = long_times();
  times.answer = std::chrono::milliseconds(20);
  Relay relay(times);
  Page page(relay.server.port());
  log_in(page);
  auto poll = relay.poll();
  page.say(view_of_hash("v1"));
  const auto problem = page.read_text("problem");
  CHECK(problem["code"] == "hub_silent");
  CHECK_FALSE(problem["detail"].get<std::string>().empty());
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_failed hub_silent"});
}

TEST_CASE("a hub that answers and sends nothing is a failed view too", "[sessions][SES-7][LOG-9]") {
  auto times = long_times();
  times.answer = std::chrono::milliseconds(200);
  Relay relay(times);
  Page page(relay.server.port());
  ask(page, relay);
  relay.answer("v1", kStream);
  CHECK(page.read_text("problem")["code"] == "hub_silent");
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_failed hub_silent"});
}

TEST_CASE("a view of a hub that is lost fails at once", "[sessions][SES-7][LOG-9]") {
  Relay relay;
  Page page(relay.server.port());
  log_in(page);
  page.say(view_of_hash("v1"));
  CHECK(page.read_text("problem")["code"] == "hub_silent");
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_failed hub_silent"});
}

TEST_CASE("a refused view says why and goes nowhere", "[sessions][SES-7]") {
  Relay relay;
  Page page(relay.server.port());
  log_in(page);
  auto poll = relay.poll();
  page.say(view_of_hash("bad"));
  CHECK(page.read_text("problem")["code"] == "no_grant");
  page.say(view_of_hash("forked"));
  CHECK(page.read_text("problem")["code"] == "ledger_forked");
  page.say(view_of_hash("v1"));
  CHECK(poll.get()["views"] == Json::array({"v1"}));
}

TEST_CASE("a new view ends the one before", "[sessions]") {
  Relay relay;
  Running view(relay);
  auto poll = relay.poll();
  view.page.say(view_of_hash("v2"));
  CHECK(view.upload->read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  CHECK(view.page.read_text("offered")["order"] == "v2");
  CHECK(poll.get()["views"] == Json::array({"v2"}));
}

TEST_CASE("a page that does not authenticate is closed", "[sessions][IAM-10]") {
  auto times = long_times();
  times.authenticate = std::chrono::milliseconds(30);
  Relay relay(times);
  Page silent(relay.server.port());
  CHECK(silent.status() == 101);
  CHECK(silent.is_closed());
}

TEST_CASE("a page that authenticates wrongly, or speaks first of something else, is closed", "[sessions][IAM-10]") {
  Relay relay;
  for (const char* first : {R"({"type":"authenticate","token":"bad"})", R"({"type":"end"})",
                            R"({"type":"view","order":{"payload":"v1"}})"}) {
    CAPTURE(first);
    Page page(relay.server.port());
    page.say(first);
    CHECK(page.read_text("problem")["code"] == "no_session");
    CHECK(page.is_closed());
  }
  CHECK(relay.seen().empty());
}

TEST_CASE("malformed and oversized messages close the page", "[sessions]") {
  Relay relay;
  for (const std::string& bad : {std::string("{"), std::string(R"({"type":"x"})")}) {
    Page page(relay.server.port());
    log_in(page);
    page.say(bad);
    CHECK(page.read_text("problem").is_object());
    CHECK(page.is_closed());
  }
  Page large(relay.server.port());
  log_in(large);
  large.say(std::string(sessions::kMaxMessageBytes + 1, 'a'));
  CHECK(large.is_closed());
  Page wrong_life(relay.server.port());
  log_in(wrong_life);
  wrong_life.send_binary(Bytes(63, 1));
  CHECK(wrong_life.read_text("problem")["code"] == "malformed");
  CHECK(wrong_life.is_closed());
}

TEST_CASE("the WebSocket opens for the app's origin alone", "[sessions][INT-4]") {
  Relay relay;
  CHECK(Page(relay.server.port(), "https://evil.example").status() == 403);
  CHECK(Page(relay.server.port(), "").status() == 403);
  CHECK(Page(relay.server.port()).status() == 101);
  Client plain(relay.server.port());
  CHECK(plain.get("/v1/live").result_int() == 426);
}

TEST_CASE("a session that ends takes its page and its view with it", "[sessions][SES-8]") {
  auto times = long_times();
  times.recheck = std::chrono::milliseconds(100);
  Relay relay(times);
  Running view(relay);
  relay.view_desk.end_session();
  CHECK(view.page.read_text("problem")["code"] == "no_session");
  CHECK(view.page.is_closed());
  CHECK(view.upload->read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  CHECK(relay.seen() == std::vector<std::string>{"v1 view_stopped session_ended"});
}

TEST_CASE("an open page is no activity, a view that is looked at is", "[sessions][SES-8]") {
  auto times = long_times();
  times.recheck = std::chrono::milliseconds(5);
  Relay relay(times);
  Page idle(relay.server.port());
  log_in(idle);
  while (relay.view_desk.looks() < 3) {
  }
  CHECK(relay.view_desk.activity() == 1);
  idle.close();
  Running view(relay);
  const int before = relay.view_desk.activity();
  view.page.send_binary(life_of(kStream));
  while (relay.view_desk.activity() == before) {
  }
}

TEST_CASE("a page learns of all hubs first and then of those that change", "[sessions][AVA-1]") {
  Relay relay;
  relay.server.on_loop([&] { relay.hubs->expect({"hub-a", "p"}), relay.hubs->expect({"hub-x", "other"}); });
  Page page(relay.server.port());
  log_in(page);
  CHECK(page.read_text("hubs")["hubs"] == Json::array({{{"hub", "hub-a"}, {"online", false}, {"status", nullptr}}}));
  auto poll = relay.poll();
  CHECK(page.read_text("hubs")["hubs"] ==
        Json::array({{{"hub", "hub-a"}, {"online", true}, {"status", {{"challenge", "c"}}}}}));
  relay.server.on_loop([&] { relay.sessions->orders_changed("other"), relay.sessions->orders_changed("p"); });
  CHECK(page.read_text("changed").is_object());
  Client staff(relay.server.port());
  CHECK(code_of(staff.get("/v1/hubs")) == "no_session");
  CHECK(staff.get("/v1/hubs", {{"Authorization", "Bearer bad"}}).result_int() == 401);
  CHECK((*parse_json(staff.get("/v1/hubs", {{"Authorization", "Bearer good"}}).body()))["items"][0]["online"] == true);
  relay.server.on_loop([&] {
    relay.hubs->orders_changed("p", {}),
        relay.hubs->offer("hub-a", {"x", [](const Json&) { return Result<std::string>("1"); }, [](const Error&) {}});
  });
}
