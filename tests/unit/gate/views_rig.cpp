#include "tests/unit/gate/views_rig.h"

#include <sys/socket.h>

#include "common/crypto/hash.h"

namespace tillsyn::gate_test {
namespace {

using namespace std::chrono_literals;

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

class FakeView : public camera::View {
 public:
  explicit FakeView(std::shared_ptr<FakeCamera::State> state) : state_(std::move(state)) { ++state_->open; }
  ~FakeView() override { --state_->open; }
  std::optional<Error> failure() override { return state_->failure; }
  void set_bitrate(unsigned kbit) override { state_->bitrate = kbit; }
  void request_key_frame() override { ++state_->key_frames_asked; }

 private:
  std::shared_ptr<FakeCamera::State> state_;
};

}  // namespace

Result<std::unique_ptr<camera::View>> FakeCamera::open(const camera::ViewSettings& settings) {
  if (state->fails_to_open) return Error{Code::kUnavailable, "camera_fault", "told to fail"};
  state->settings = settings;
  ++state->opened;
  return std::unique_ptr<camera::View>(std::make_unique<FakeView>(state));
}

void Browser::take(const orders::Answer& answer) {
  REQUIRE(answer.open);
  auto opened = must(crypto::hpke_open(key, answer.open->enc, answer.order, {}, answer.open->sealed));
  opener_.emplace(opened.plaintext.view().first<32>(), 0);
  life_key_ = must(opened.exporter.derive(view_of("tillsyn life v1"), 32));
  stream = answer.open->stream;
}

sframe::Opened Browser::decrypt(ByteView frame) {
  return must(sframe::open_frame(*opener_, stream, must(sframe::decode_frame(frame))));
}

Bytes Browser::life(std::optional<std::uint64_t> painted) {
  Bytes message;
  append(message, stream);
  append_u64(message, ++counter_);
  append_u64(message, painted.value_or(~std::uint64_t{0}));
  append(message, crypto::hmac_sha256(life_key_->view(), signed_bytes("life", message)));
  return message;
}

DeskRig::DeskRig(bool with_fuse) : hub(kNow), olle(hub.maker.login("olle", orders::Role::kOperator)) {
  hub.settle(15min);
  auto made = std::make_unique<FakeCamera>();
  camera = made.get();
  cameras.emplace("bedroom", std::move(made));
  int pair[2] = {-1, -1};
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  fuse_side.reset(pair[0]);
  UniqueFd other(pair[1]);
  fuse = std::make_unique<gate::FuseFeed>(with_fuse ? std::move(other) : UniqueFd());
  port = std::make_unique<gate::LinkPort>(must(ipc::Listener::open(hub.folder.path() + "/socket")));
  link.emplace(must(ipc::Connection::connect(hub.folder.path() + "/socket")));
  REQUIRE(port->accept());
  must(link->send(ipc::MessageType::kHello, Bytes{ipc::kProtocolVersion}));
  REQUIRE(port->receive());
  desk = std::make_unique<gate::ViewDesk>(gate::ViewDesk::Parts{*hub.keys, *hub.clock, cameras, *fuse, *port});
}

std::string DeskRig::offer(const Browser& browser) {
  auto view =
      hub.maker.view(hub.home, browser.key.public_key(), desk->challenges().fresh(hub.boot), hub.inside->desk.head());
  auto payload = hub.maker.payload(std::move(view), {&olle});
  payload.common.id = fakes::random_id("view " + std::to_string(asked_++));
  const auto order = hub.maker.order(payload, {&olle});
  const auto seq = hub.log.enter(order);
  return hub.log.offer(order, seq, must(hub.inside->store.checkpoint())).dump();
}

orders::Answer DeskRig::ask(Browser& browser) {
  must(desk->take_offer(offer(browser), *hub.inside, hub.read(), hub.boot));
  light();
  const auto said = answer();
  if (said.open) browser.take(said);
  return said;
}

orders::Answer DeskRig::answer() {
  receive();
  REQUIRE_FALSE(answers.empty());
  return must(orders::parse_answer(Json::parse(answers.back()).at("payload").get<std::string>()));
}

void DeskRig::light(bool lit) { must(desk->light(lit, *hub.inside)); }
void DeskRig::judge() { must(desk->judge_running(*hub.inside, hub.read())); }

void DeskRig::pass(std::chrono::milliseconds time) {
  for (; time > 0ms; time -= 100ms) {
    hub.pass(std::min(time, 100ms));
    judge();
  }
}

void DeskRig::picture(bool key_frame, std::chrono::milliseconds age, std::size_t size) {
  camera->state->settings.deliver(
      {Bytes(size, 0x65), key_frame, static_cast<std::uint64_t>((hub.hand->now.mono - age).count())});
}

void DeskRig::send() { desk->send(hub.read()); }

void DeskRig::receive() {
  must(port->pump(&hub.inside->store));
  while (link) {
    const auto received = link->receive();
    if (!received || !*received) return;
    const auto& message = **received;
    if (message.type == ipc::MessageType::kAnswer) answers.push_back(text_of(message.body));
    if (message.type == ipc::MessageType::kStreamEnd) ++stream_ends;
    if (message.type == ipc::MessageType::kFrame) {
      const auto frame = ipc::split_frame(message).frame;
      frames.emplace_back(frame.begin(), frame.end());
    }
  }
}

void DeskRig::hear(Browser& browser, std::optional<std::uint64_t> painted) {
  REQUIRE(desk->hear(browser.life(painted), hub.hand->now.mono));
}

std::vector<sframe::Opened> DeskRig::decrypt_all(Browser& browser) {
  receive();
  std::vector<sframe::Opened> out;
  for (const auto& frame : frames) out.push_back(browser.decrypt(frame));
  return out;
}

std::string DeskRig::last_event() {
  const auto event = hub.events().back();
  return event.kind + (event.reason ? ' ' + *event.reason : std::string());
}

}  // namespace tillsyn::gate_test
