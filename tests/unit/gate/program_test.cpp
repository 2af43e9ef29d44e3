// The real programs, fuse and gate, on the bench board with the synthetic room; the test is link, relay and viewer.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "common/crypto/hash.h"
#include "common/crypto/hpke.h"
#include "common/sframe/frame.h"
#include "firmware/ipc/connection.h"
#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using ipc::MessageType;

namespace {

Instant now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// fuse → gate, in a folder of their own.
class Programs {
 public:
  explicit Programs(const orders::FleetRoot& root) {
    const auto& dir = folder.path();
    std::filesystem::create_directory(dir + "/state");
    write_file(dir + "/fleet-root.json", orders::format_fleet_root(root));
    write_file(dir + "/clock.json", R"({"offset_ms":0,"synchronised":true})");
    write_file(dir + "/camera", "");
    write_file(dir + "/board.json", R"({"format":1,"name":"bench",
      "cameras":[{"id":"bedroom","source":"room","path":"camera","width":640,"height":360,"frame_rate":15}],
      "camera_paths":["camera"],"light":{"kind":"file","path":"light","wired":false},
      "button":{"kind":"fifo","path":"button","key":0},"clock":{"kind":"file","path":"clock.json"}})");
    start();
  }
  ~Programs() { stop(SIGTERM); }

  void start() {
    const auto& dir = folder.path();
    const std::string board = dir + "/board.json";
    const std::string state = dir + "/state";
    const std::string socket = dir + "/socket";
    const std::string root = dir + "/fleet-root.json";
    process_ = fork();
    if (process_ != 0) return;
    execl(TILLSYN_FUSE, TILLSYN_FUSE, "--board", board.c_str(), "--", TILLSYN_GATE, "--board", board.c_str(), "--state",
          state.c_str(), "--socket", socket.c_str(), "--fleet-root", root.c_str(), nullptr);
    _exit(127);
  }

  void stop(int signal) {
    if (process_ <= 0) return;
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  bool light_is_on() const {
    char content = 0;
    std::ifstream(folder.path() + "/light").get(content);
    return content == '1';
  }

  void hold_button() const { std::ofstream(folder.path() + "/button") << "hold\n" << std::flush; }

  Folder folder;

 private:
  pid_t process_ = -1;
};

// The test as tillsyn-link.
class Link {
 public:
  explicit Link(const Programs& programs) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!connection_ && std::chrono::steady_clock::now() < end) {
      auto connected = ipc::Connection::connect(programs.folder.path() + "/socket");
      if (connected) connection_.emplace(std::move(*connected));
      else std::this_thread::sleep_for(20ms);
    }
    REQUIRE(connection_);
    send(MessageType::kHello, Bytes{ipc::kProtocolVersion});
    hub = must(ipc::read_gate_hello({MessageType::kGateHello, await(MessageType::kGateHello)})).hub;
  }

  void send(MessageType type, ByteView body) { REQUIRE(must(connection_->send(type, body)) == ipc::Sent::kSent); }
  void send(MessageType type, const std::string& text) { send(type, view_of(text)); }

  // The next message of that type for which `wanted` holds; others are dropped, but counted.
  Bytes await(MessageType type, const std::function<bool(ByteView)>& wanted = nullptr, std::chrono::milliseconds patience = 10s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
      const auto message = must(connection_->receive());
      if (!message) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      if (message->type == MessageType::kFrame) ++frames;
      Bytes body(message->body.begin(), message->body.end());
      if (message->type == type && (!wanted || wanted(body))) return body;
    }
    FAIL("gate did not say " << static_cast<int>(type));
    return {};
  }

  std::string payload(MessageType type, const std::string& containing = {}) {
    const auto body = await(type, [&](ByteView bytes) { return text_of(bytes).find(containing) != std::string::npos; });
    return Json::parse(text_of(body)).at("payload").get<std::string>();
  }

  Json poll() {
    send(MessageType::kPollWanted, Bytes());
    return Json::parse(text_of(await(MessageType::kPollStatus)));
  }

  std::string hub;
  int frames = 0;

 private:
  std::optional<ipc::Connection> connection_;
};

// The test as the operator's browser.
struct Viewer {
  crypto::P256PrivateKey key = crypto::P256PrivateKey::generate();
  std::optional<sframe::Opener> opener;
  std::optional<crypto::Secret> life_key;
  ByteArray<16> stream{};
  std::uint64_t counter = 0;

  void open(const orders::Answer& answer) {
    REQUIRE(answer.open);
    auto opened = must(crypto::hpke_open(key, answer.open->enc, answer.order, {}, answer.open->sealed));
    opener.emplace(opened.plaintext.view().first<32>(), 0);
    life_key = must(opened.exporter.derive(view_of("tillsyn life v1"), 32));
    stream = answer.open->stream;
  }

  sframe::Opened decrypt(const sframe::FrameView& frame) { return must(sframe::open_frame(*opener, stream, frame)); }

  Bytes life() {
    Bytes message;
    append(message, stream);
    append_u64(message, ++counter);
    append_u64(message, ~std::uint64_t{0});
    append(message, crypto::hmac_sha256(life_key->view(), signed_bytes("life", message)));
    return message;
  }
};

// A municipality that has given the hub everything it needs to open.
class Night {
 public:
  Night() : maker(std::chrono::floor<std::chrono::seconds>(now())), log(maker), programs(maker.fleet_root), link(programs) {
    home.hub = link.hub;
    link.send(MessageType::kRootList, maker.root_list_envelope());
    CHECK(text_of(link.await(MessageType::kRelays)).find("relay.example:443") != std::string::npos);
    link.send(MessageType::kBundle, maker.bundle_envelope());
    for (const auto& grant : maker.staff_grants()) accept(grant);
    auto device_key = device();
    auto orders = maker.home_orders(home, device_key);
    orders[3] = maker.order(maker.wide_consent(home), {&carin, &carl});
    orders[4] = maker.order(maker.open_schedule(home, 60min), {&pia, &per});
    accept(orders[0]);
    link.send(MessageType::kOrder, orders[1].text);
    CHECK(receipt().reason == "no_presence");
    programs.hold_button();
    CHECK(must(orders::parse_countersign(link.payload(MessageType::kCountersign))).order == orders[1].hash);
    CHECK(receipt().verdict == orders::Verdict::Kind::kAccepted);
    for (std::size_t i = 2; i < orders.size(); ++i) accept(orders[i]);
    consent = orders[3];
  }

  crypto::P256PublicKey device() {
    link.send(MessageType::kLinkKey, fakes::p256_key("link").public_key().point());
    const auto envelope = text_of(link.await(MessageType::kLinkKeyEnvelope));
    return must(orders::open_link_key(envelope)).device_key;
  }

  orders::Receipt receipt() { return must(orders::parse_receipt(link.payload(MessageType::kReceipt))); }

  void accept(const orders::Order& order) {
    link.send(MessageType::kOrder, order.text);
    const auto said = receipt();
    CHECK(said.reason.value_or("") == "");
    CHECK(said.order == order.hash);
  }

  orders::Answer ask(const Viewer& viewer) {
    const Json status = link.poll();
    const auto head = must(from_base64url_exact<32>(status.at("head").get<std::string>()));
    const auto challenge = must(from_base64url_exact<32>(status.at("challenge").get<std::string>()));
    auto payload = maker.payload(maker.view(home, viewer.key.public_key(), challenge, head), {&olle});
    payload.common.id = fakes::random_id("view " + std::to_string(asked++));
    const auto order = maker.order(payload, {&olle});
    const auto seq = log.enter(order);
    link.send(MessageType::kOffer, log.offer(order, seq, seen).dump());
    seen = log.point();
    return must(orders::parse_answer(link.payload(MessageType::kAnswer)));
  }

  fakes::OrderMaker maker;
  fakes::Staff olle = maker.login("olle", orders::Role::kOperator);
  fakes::Staff carin = maker.login("carin", orders::Role::kCareManager);
  fakes::Staff carl = maker.login("carl", orders::Role::kCareManager);
  fakes::Staff pia = maker.login("pia", orders::Role::kPlanner);
  fakes::Staff per = maker.login("per", orders::Role::kPlanner);
  RelayLog log;
  Programs programs;
  Link link;
  fakes::Home home;
  std::optional<orders::Order> consent;
  orders::LogPoint seen;
  int asked = 0;
};

}  // namespace

TEST_CASE("an operator sees the room, encrypted, until the consent is withdrawn", "[gate][program][ENF-1][ENF-5][VID-2]") {
  Night night;
  CHECK(night.link.poll().at("state") == "accepted");
  CHECK_FALSE(night.programs.light_is_on());

  Viewer viewer;
  const auto answer = night.ask(viewer);
  INFO(answer.reason.value_or("open"));
  REQUIRE(answer.open);
  CHECK(night.programs.light_is_on());
  viewer.open(answer);

  std::uint64_t expected = 0;
  bool echoed = false;
  while (expected < 30 || !echoed) {
    REQUIRE(expected < 300);
    const Bytes message = night.link.await(MessageType::kFrame);
    CHECK(std::equal(viewer.stream.begin(), viewer.stream.end(), message.begin()));
    const auto frame = must(sframe::decode_frame(ByteView(message).subspan(16)));
    const auto opened = viewer.decrypt(frame);
    CHECK(opened.ctr == expected);
    REQUIRE(opened.plaintext.size() > 12);
    CHECK(read_u32(ByteView(opened.plaintext).subspan(8)) == 1);  // Annex B start code
    CHECK(((frame.info.flags & sframe::kKeyFrame) != 0 || expected > 0));
    echoed = read_u64(opened.plaintext) > 0;
    if (expected++ % 5 == 0) night.link.send(MessageType::kLife, viewer.life());
  }

  const auto withdrawn = night.maker.successor(*night.consent, orders::Consent{night.home.resident, night.home.home,
                                               night.home.group, std::nullopt}, {&night.carin});
  const auto start = std::chrono::steady_clock::now();
  night.link.send(MessageType::kOrder, withdrawn.text);
  night.link.await(MessageType::kStreamEnd);
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  const auto ended = must(orders::parse_event(night.link.payload(MessageType::kEvent, "view_ended")));
  CHECK(ended.reason == "withdrawn");
  CHECK(ended.who == night.olle.person);
  CHECK(night.ask(viewer).reason == "consent_withdrawn");
}
