#include "tests/fault/site.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace tillsyn::fault {
namespace {

using namespace std::chrono_literals;
using gate_test::must;
using ipc::MessageType;
using orders::Role;
namespace fs = std::filesystem;

Json board_of(const std::string& source, const std::string& camera) {
  const Json described{{"id", "bedroom"}, {"source", source}, {"path", camera},
                       {"width", 320},    {"height", 180},    {"frame_rate", source == "room" ? 15 : 0}};
  return {{"format", 1},
          {"name", "bench"},
          {"cameras", Json::array({described})},
          {"camera_paths", Json::array({camera})},
          {"light", {{"kind", "file"}, {"path", "light"}, {"wired", false}}},
          {"button", {{"kind", "fifo"}, {"path", "button"}, {"key", 0}}},
          {"clock", {{"kind", "file"}, {"path", "clock.json"}}}};
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

std::vector<pid_t> children_of(pid_t process) {
  const auto id = std::to_string(process);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> out;
  for (pid_t child = 0; file >> child;) out.push_back(child);
  return out;
}

// Empty if it is no envelope.
std::string payload_of(ByteView envelope) {
  const auto json = Json::parse(text_of(envelope), nullptr, false);
  return json.is_object() ? json.value("payload", "") : "";
}

}  // namespace

bool until(const std::function<bool()>& probe, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!probe()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

int run(const std::vector<std::string>& words) {
  const auto arguments = pointers(words);
  const pid_t child = fork();
  if (child == 0) {
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int must_run(const std::vector<std::string>& words) {
  const int code = run(words);
  INFO(words[0] << ' ' << words[1]);
  REQUIRE(code == 0);
  return code;
}

Programs::Programs(std::string dir, std::string state, const orders::FleetRoot& root,
                   const std::optional<CameraAt>& fed)
    : dir_(std::move(dir)), state_(std::move(state)), camera_(fed ? fed->path : dir_ + "/camera") {
  write_file(dir_ + "/fleet-root.json", orders::format_fleet_root(root));
  if (!fed) write_file(camera_, "");
  write_file(dir_ + "/board.json", board_of(fed ? "recording" : "room", camera_).dump());
  set_clock(milliseconds(0), true);
}

void Programs::set_clock(milliseconds offset, bool synchronised) const {
  write_file(dir_ + "/clock.new", Json{{"offset_ms", offset.count()}, {"synchronised", synchronised}}.dump());
  fs::rename(dir_ + "/clock.new", dir_ + "/clock.json");
}

void Programs::start(const std::vector<std::string>& before) {
  std::vector<std::string> words = before;
  words.insert(words.end(),
               {TILLSYN_FUSE, "--board", dir_ + "/board.json", "--", TILLSYN_GATE, "--board", dir_ + "/board.json",
                "--state", state_, "--socket", socket(), "--fleet-root", dir_ + "/fleet-root.json"});
  const auto arguments = pointers(words);
  const auto log = dir_ + "/said.log";
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  setpgid(process_, process_);
}

void Programs::kill_all() {
  if (process_ <= 0) return;
  ::kill(-process_, SIGKILL);
  // What lies below falls to us when those between are gone (start).
  while (waitpid(-process_, nullptr, 0) > 0) {
  }
  process_ = -1;
}

void Programs::stop() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

// The one whose program is the gate, below the fuse or below what has started the fuse.
pid_t Programs::gate() const {
  if (process_ <= 0) return 0;
  std::vector<pid_t> below = children_of(process_);
  for (std::size_t i = 0; i < below.size(); ++i) {
    std::error_code none;
    if (fs::read_symlink("/proc/" + std::to_string(below[i]) + "/exe", none) == fs::path(TILLSYN_GATE)) return below[i];
    for (const pid_t child : children_of(below[i])) below.push_back(child);
  }
  return 0;
}

void Programs::kill_gate() const {
  if (const pid_t process = gate(); process > 0) ::kill(process, SIGKILL);
}

bool Programs::holds_camera() const {
  const pid_t process = gate();
  if (process == 0) return false;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", none)) {
    if (fs::read_symlink(entry.path(), none) == fs::path(camera_)) return true;
  }
  return false;
}

bool Programs::is_lit() const { return read_file(dir_ + "/light").starts_with('1'); }
void Programs::hold_button() const { write_file(dir_ + "/button", "hold\n"); }
std::string Programs::said() const { return read_file(dir_ + "/said.log"); }

std::optional<Link> Link::connect(const Programs& programs, Said& said, milliseconds patience) {
  std::optional<Link> link;
  until(
      [&] {
        auto connected = ipc::Connection::connect(programs.socket());
        if (!connected) return false;
        link.emplace(Link(std::move(*connected), said));
        link->send(MessageType::kHello, Bytes{ipc::kProtocolVersion});
        const auto hello = link->await(MessageType::kGateHello, nullptr, 3s);
        if (!hello) return false;
        link->hub = must(ipc::read_gate_hello({MessageType::kGateHello, *hello})).hub;
        return true;
      },
      patience);
  return link && !link->hub.empty() ? std::move(link) : std::nullopt;
}

void Link::send(MessageType type, ByteView body) {
  if (!connection_) return;
  const auto sent = connection_->send(type, body);
  if (!sent) connection_.reset();
}

std::optional<ipc::Message> Link::receive() {
  if (!connection_) return std::nullopt;
  const auto received = connection_->receive();
  if (!received) connection_.reset();
  if (!received || !*received) return std::nullopt;
  note(**received);
  return **received;
}

void Link::note_frame(ByteView body) {
  constexpr std::size_t kFlagsAt = 16 + 4;
  constexpr std::uint8_t kEnd = 2;
  ++frames;
  if ((body[kFlagsAt] & kEnd) != 0) return;
  std::int64_t capture = 0;
  for (std::size_t i = 1; i <= 8; ++i) capture = capture << 8 | body[kFlagsAt + i];
  said_->captures.emplace_back(capture);
}

std::map<std::int64_t, std::string> Link::kinds() const {
  std::map<std::int64_t, std::string> out;
  for (const auto& [n, envelope] : said_->events)
    out.emplace(n, must(orders::parse_event(payload_of(view_of(envelope)))).kind);
  return out;
}

std::int64_t Link::newest(const std::string& kind) const {
  const auto all = kinds();
  for (auto at = all.rbegin(); at != all.rend(); ++at)
    if (at->second == kind) return at->first;
  return 0;
}

// What cannot be read has not been said.
void Link::note(const ipc::Message& message) {
  using Kind = orders::Verdict::Kind;
  if (message.type == MessageType::kFrame) note_frame(message.body);
  if (message.type == MessageType::kEvent) {
    const auto event = orders::parse_event(payload_of(message.body));
    if (event) said_->events.emplace(event->n, text_of(message.body)), events.push_back(event->n);
  }
  if (message.type == MessageType::kReceipt) {
    const auto receipt = orders::parse_receipt(payload_of(message.body));
    if (receipt && receipt->verdict == Kind::kAccepted) said_->accepted.insert(receipt->order);
  }
  if (message.type == MessageType::kAnswer) {
    const auto answer = orders::parse_answer(payload_of(message.body));
    if (answer && answer->open) said_->opened.insert(answer->order);
  }
}

void Link::listen(milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (connection_ && std::chrono::steady_clock::now() < end)
    if (!receive()) std::this_thread::sleep_for(1ms);
}

std::optional<Bytes> Link::await(MessageType type, const std::function<bool(ByteView)>& wanted, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (connection_ && std::chrono::steady_clock::now() < end) {
    const auto message = receive();
    if (message && message->type == type && (!wanted || wanted(message->body)))
      return Bytes(message->body.begin(), message->body.end());
    if (!message) std::this_thread::sleep_for(1ms);
  }
  return std::nullopt;
}

std::optional<Json> Link::poll(milliseconds patience) {
  send(MessageType::kPollWanted, Bytes());
  const auto status = await(MessageType::kPollStatus, nullptr, patience);
  return status ? std::optional(Json::parse(text_of(*status))) : std::nullopt;
}

Town::Town() : maker(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())), log_(maker) {
  for (const auto& [name, role] : std::map<std::string, Role>{{"olle", Role::kOperator},
                                                              {"carin", Role::kCareManager},
                                                              {"carl", Role::kCareManager},
                                                              {"pia", Role::kPlanner},
                                                              {"per", Role::kPlanner}})
    staff_.emplace(name, maker.login(name, role));
  template_ = folder.path() + "/state";
  fs::create_directory(template_);
  Programs programs(folder.path(), template_, maker.fleet_root);
  programs.start();
  auto link = Link::connect(programs, said, 60s);
  REQUIRE(link);
  provide(*link, programs);
  link.reset();
  programs.stop();
}

void Town::provide(Link& link, const Programs& programs) {
  home_.hub = link.hub;
  link.send(MessageType::kRootList, maker.root_list_envelope());
  link.send(MessageType::kBundle, maker.bundle_envelope());
  link.send(MessageType::kLinkKey, fakes::p256_key("link").public_key().point());
  const auto envelope = link.await(MessageType::kLinkKeyEnvelope);
  REQUIRE(envelope);
  device_key_ = must(orders::open_link_key(text_of(*envelope))).device_key;
  for (const auto& grant : maker.staff_grants()) REQUIRE(give(link, grant) == "accepted");
  home_orders_ = maker.home_orders(home_, *device_key_);
  home_orders_[3] = maker.order(maker.wide_consent(home_), {&staff("carin"), &staff("carl")});
  home_orders_[4] = maker.order(maker.open_schedule(home_, 120min), {&staff("pia"), &staff("per")});
  REQUIRE(give(link, home_orders_[0]) == "accepted");
  REQUIRE(give(link, home_orders_[1]) == "waiting no_presence");
  programs.hold_button();
  REQUIRE(link.await(MessageType::kCountersign));
  for (std::size_t i = 1; i < home_orders_.size(); ++i) REQUIRE(give(link, home_orders_[i]) == "accepted");
  link.listen(300ms);
}

orders::Order Town::schedule_after(const orders::Order& before) const {
  return maker.successor(before, maker.open_schedule(home_, 120min), {&staff("pia"), &staff("per")});
}

orders::Order Town::windows_after(const orders::Order& before, const std::vector<int>& starts, int minutes) const {
  auto body = maker.open_schedule(home_, std::chrono::minutes(minutes));
  const auto pattern = body.schedule.windows.at(0);
  body.schedule.windows.clear();
  for (const int start : starts) {
    auto& window = body.schedule.windows.emplace_back(pattern);
    window.window.id = "w" + std::to_string(start);
    window.window.start = std::chrono::minutes(start);
  }
  return maker.successor(before, body, {&staff("pia"), &staff("per")});
}

orders::Order Town::withdrawal() const {
  return maker.successor(home_orders_[3], orders::Consent{home_.resident, home_.home, home_.group, std::nullopt},
                         {&staff("carin")});
}

std::string Town::offer(const Json& status, const gate_test::Browser& browser) {
  const auto head = must(from_base64url_exact<32>(status.at("head").get<std::string>()));
  const auto challenge = must(from_base64url_exact<32>(status.at("challenge").get<std::string>()));
  auto payload = maker.payload(maker.view(home_, browser.key.public_key(), challenge, head), {&staff("olle")});
  payload.common.id = fakes::random_id("view " + std::to_string(asked_++));
  const auto order = maker.order(payload, {&staff("olle")});
  const auto seq = log_.enter(order);
  const Json& seen = status.at("ledger");
  const orders::LogPoint point{seen.at("size"), must(from_base64url_exact<32>(seen.at("root").get<std::string>()))};
  return log_.offer(order, seq, point).dump();
}

std::optional<orders::Answer> Town::ask(Link& link, gate_test::Browser& browser) {
  const auto status = link.poll();
  if (!status) return std::nullopt;
  const auto text = offer(*status, browser);
  const auto order = orders::order_hash_in(Json::parse(text).at("order").dump());
  link.send(MessageType::kOffer, text);
  const auto said_here = link.await(MessageType::kAnswer, [&](ByteView body) {
    return must(orders::parse_answer(payload_of(body))).order == *order;
  });
  if (!said_here) return std::nullopt;
  auto answer = must(orders::parse_answer(payload_of(*said_here)));
  if (answer.open) browser.take(answer);
  return answer;
}

std::string Town::give(Link& link, const orders::Order& order) {
  link.send(MessageType::kOrder, order.text);
  const auto told = link.await(MessageType::kReceipt, [&](ByteView body) {
    return must(orders::parse_receipt(payload_of(body))).order == order.hash;
  });
  if (!told) return "";
  const auto receipt = must(orders::parse_receipt(payload_of(*told)));
  return orders::verdict_name(receipt.verdict) + (receipt.reason ? ' ' + *receipt.reason : std::string());
}

std::string Town::missing(Link& link, const Said& before) {
  const auto status = link.poll();
  if (!status) return "the gate does not answer";
  // Nothing was ever acknowledged to the gate, so it tells its whole log anew.
  Said& now = *link.said();
  const auto newest = status->at("events").get<std::int64_t>();
  until([&] { return link.listen(20ms), link.is_gone() || now.events.contains(newest); }, 20s);
  std::optional<orders::Hash> last;
  std::set<orders::Hash> accepted, started;
  for (std::int64_t n = 1; n <= newest; ++n) {
    if (!now.events.contains(n)) return "event " + std::to_string(n) + " is not in the log";
    const auto payload = orders::open(orders::DeviceKind::kEvent, now.events.at(n), device_key());
    if (!payload) return "event " + std::to_string(n) + " is not signed";
    const auto event = must(orders::parse_event(*payload));
    if (event.n != n || event.prev != last) return "the chain breaks at event " + std::to_string(n);
    last = orders::document_hash(orders::DeviceKind::kEvent, *payload);
    if (event.kind == "order_accepted" && !accepted.insert(*event.order).second) return "an order was accepted twice";
    if (event.kind == "view_started") started.insert(*event.order);
  }
  for (const auto& [n, envelope] : before.events)
    if (!now.events.contains(n) || now.events.at(n) != envelope)
      return "said event " + std::to_string(n) + " is another";
  for (const auto& order : before.accepted)
    if (!accepted.contains(order)) return "an accepted order is missing";
  for (const auto& view : before.opened)
    if (!started.contains(view)) return "an opened view is missing";
  return "";
}

}  // namespace tillsyn::fault
