#include "tests/unit/gate/program_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace tillsyn::gate_test {
namespace {

using namespace std::chrono_literals;
using ipc::MessageType;

constexpr const char* kBoard = R"({"format":1,"name":"bench",
  "cameras":[{"id":"bedroom","source":"room","path":"camera","width":640,"height":360,"frame_rate":15}],
  "camera_paths":["camera"],"light":{"kind":"file","path":"light","wired":false},
  "button":{"kind":"fifo","path":"button","key":0},"clock":{"kind":"file","path":"clock.json"}})";

Instant real_time() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

void limit_files(std::size_t bytes) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
}

ipc::Connection connect(const Programs& programs) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < end) {
    auto connected = ipc::Connection::connect(programs.folder.path() + "/socket");
    if (connected) return std::move(*connected);
    std::this_thread::sleep_for(5ms);
  }
  FAIL("gate does not listen");
  std::abort();
}

}  // namespace

Programs::Programs(const orders::FleetRoot& root, std::chrono::milliseconds clock_ahead,
                   std::optional<std::size_t> max_file, const Json& parts) {
  const auto& dir = folder.path();
  std::filesystem::create_directory(dir + "/state");
  write_file(dir + "/fleet-root.json", orders::format_fleet_root(root));
  write_file(dir + "/camera", "");
  Json board = must(parse_json(kBoard));
  board.update(parts);
  write_file(dir + "/board.json", board.dump());
  set_clock(clock_ahead, true);
  const std::vector<std::string> words{TILLSYN_FUSE,
                                       "--board",
                                       dir + "/board.json",
                                       "--",
                                       TILLSYN_GATE,
                                       "--board",
                                       dir + "/board.json",
                                       "--state",
                                       dir + "/state",
                                       "--socket",
                                       dir + "/socket",
                                       "--fleet-root",
                                       dir + "/fleet-root.json"};
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  process_ = fork();
  if (process_ != 0) return;
  if (max_file) limit_files(*max_file);
  execv(TILLSYN_FUSE, arguments.data());
  _exit(127);
}

Programs::~Programs() {
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

pid_t Programs::gate_process() const {
  const auto id = std::to_string(process_);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

bool Programs::light_is_on() const {
  char content = 0;
  std::ifstream(folder.path() + "/light").get(content);
  return content == '1';
}

bool Programs::light_goes_out() const {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (light_is_on() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  return !light_is_on();
}

void Programs::hold_button() const { std::ofstream(folder.path() + "/button") << "hold\n" << std::flush; }

void Programs::press_button() const { std::ofstream(folder.path() + "/button") << "press\n" << std::flush; }

void Programs::set_clock(std::chrono::milliseconds ahead, bool synchronised) const {
  const auto path = folder.path() + "/clock.json";
  write_file(path + ".new", Json{{"offset_ms", ahead.count()}, {"synchronised", synchronised}}.dump());
  std::filesystem::rename(path + ".new", path);
}

void Programs::allow_files_to_grow() const {
  const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  REQUIRE(prlimit(gate_process(), RLIMIT_FSIZE, &limit, nullptr) == 0);
}

Link::Link(const Programs& programs) : connection_(connect(programs)) {
  send(MessageType::kHello, Bytes{ipc::kProtocolVersion});
  const Bytes hello = await(MessageType::kGateHello);
  hub = must(ipc::read_gate_hello({MessageType::kGateHello, hello})).hub;
}

void Link::send(MessageType type, ByteView body) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (must(connection_.send(type, body)) == ipc::Sent::kWouldBlock) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(1ms);
  }
}

Bytes Link::await(MessageType type, const std::function<bool(ByteView)>& wanted, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  auto& kept = kept_[type];
  while (std::chrono::steady_clock::now() < end) {
    while (!kept.empty()) {
      Bytes body = std::move(kept.front());
      kept.pop_front();
      if (!wanted || wanted(body)) return body;
    }
    const auto message = must(connection_.receive());
    if (message)
      kept_[message->type].emplace_back(message->body.begin(), message->body.end());
    else
      std::this_thread::sleep_for(1ms);
  }
  FAIL("gate did not say " << static_cast<int>(type));
  return {};
}

std::string Link::payload(MessageType type, const std::string& text) {
  const auto body = await(type, [&](ByteView bytes) { return text_of(bytes).find(text) != std::string::npos; });
  return Json::parse(text_of(body)).at("payload").get<std::string>();
}

Json Link::poll() {
  send(MessageType::kPollWanted, Bytes());
  return Json::parse(text_of(await(MessageType::kPollStatus)));
}

bool Link::flood_until_dropped(MessageType type, const std::string& text, int times) {
  for (int i = 0; i < times; ++i)
    if (!connection_.send(type, view_of(text))) return true;
  return is_dropped();
}

bool Link::is_dropped() {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < end) {
    const auto received = connection_.receive();
    if (!received) return true;
    if (!*received) std::this_thread::sleep_for(1ms);
  }
  return false;
}

Night::Night(const NightSettings& with)
    : settings(with),
      maker(std::chrono::floor<std::chrono::seconds>(hub_time())),
      olle(maker.login("olle", orders::Role::kOperator)),
      carin(maker.login("carin", orders::Role::kCareManager)),
      carl(maker.login("carl", orders::Role::kCareManager)),
      pia(maker.login("pia", orders::Role::kPlanner)),
      per(maker.login("per", orders::Role::kPlanner)),
      log(maker),
      programs(maker.fleet_root, settings.clock_ahead, settings.max_file) {
  link.emplace(programs);
  home.hub = link->hub;
  link->send(MessageType::kRootList, maker.root_list_envelope());
  link->await(MessageType::kRelays);
  link->send(MessageType::kBundle, maker.bundle_envelope());
  link->send(MessageType::kLinkKey, fakes::p256_key("link").public_key().point());
  const auto request = must(orders::open_link_key(text_of(link->await(MessageType::kLinkKeyEnvelope))));
  REQUIRE(request.device_key.thumbprint_text() == link->hub);
  for (const auto& grant : maker.staff_grants()) accept(grant);
  home_orders = maker.home_orders(home, request.device_key);
  home_orders[3] = maker.order(maker.wide_consent(home), {&carin, &carl});
  home_orders[4] = maker.order(maker.open_schedule(home, settings.window), {&pia, &per});
  accept(home_orders[0]);
  link->send(MessageType::kOrder, home_orders[1].text);
  REQUIRE(receipt().reason == "no_presence");
  programs.hold_button();
  REQUIRE(must(orders::parse_countersign(link->payload(MessageType::kCountersign))).order == home_orders[1].hash);
  REQUIRE(receipt().verdict == orders::Verdict::Kind::kAccepted);
  for (std::size_t i = 2; i < home_orders.size(); ++i) accept(home_orders[i]);
}

Instant Night::hub_time() const { return real_time() + settings.clock_ahead; }

orders::Receipt Night::receipt() { return must(orders::parse_receipt(link->payload(MessageType::kReceipt))); }

void Night::accept(const orders::Order& order) {
  link->send(MessageType::kOrder, order.text);
  const auto said = receipt();
  REQUIRE(said.reason.value_or("") == "");
  REQUIRE(said.order == order.hash);
}

void Night::offer(const Browser& browser) {
  const Json status = link->poll();
  const auto head = must(from_base64url_exact<32>(status.at("head").get<std::string>()));
  const auto challenge = must(from_base64url_exact<32>(status.at("challenge").get<std::string>()));
  auto payload = maker.payload(maker.view(home, browser.key.public_key(), challenge, head), {&olle});
  payload.common.id = fakes::random_id("view " + std::to_string(asked_++));
  const auto order = maker.order(payload, {&olle});
  const auto seq = log.enter(order);
  const Json& seen = status.at("ledger");
  const orders::LogPoint point{seen.at("size"), must(from_base64url_exact<32>(seen.at("root").get<std::string>()))};
  link->send(MessageType::kOffer, log.offer(order, seq, point).dump());
}

orders::Answer Night::ask(Browser& browser) {
  offer(browser);
  const auto answer = must(orders::parse_answer(link->payload(MessageType::kAnswer)));
  if (answer.open) browser.take(answer);
  return answer;
}

void Night::fill_disk() {
  for (int i = 0; i < 60; ++i) {
    const std::string order =
        maker.sign(R"({"format":9,"x":")" + std::string(30'000, 'x') + std::to_string(i) + "\"}", {&pia, &per});
    link->send(MessageType::kOrder, order);
  }
  link->await(MessageType::kStreamEnd);
}

orders::Order Night::withdrawal() const {
  return maker.successor(home_orders[3], orders::Consent{home.resident, home.home, home.group, std::nullopt}, {&carin});
}

}  // namespace tillsyn::gate_test
