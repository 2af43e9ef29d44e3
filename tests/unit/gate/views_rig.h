#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/hpke.h"
#include "common/sframe/frame.h"
#include "firmware/gate/view_desk.h"
#include "tests/unit/gate/rig.h"

namespace tillsyn::gate_test {

// A camera whose pictures the test makes.
class FakeCamera : public camera::Camera {
 public:
  struct State {
    bool fails_to_open = false;
    int open = 0;
    int opened = 0;
    std::optional<Error> failure;
    int key_frames_asked = 0;
    unsigned bitrate = 0;
    camera::ViewSettings settings;  // of the newest view
  };

  FakeCamera() : state(std::make_shared<State>()) {}
  Result<std::unique_ptr<camera::View>> open(const camera::ViewSettings& settings) override;

  std::shared_ptr<State> state;
};

// A viewer's browser.
class Browser {
 public:
  crypto::P256PrivateKey key = crypto::P256PrivateKey::generate();

  // Opens the key in the answer.
  void take(const orders::Answer& answer);
  sframe::Opened decrypt(ByteView frame);
  Bytes life(std::optional<std::uint64_t> painted = std::nullopt);

  gate::StreamId stream{};

 private:
  std::optional<sframe::Opener> opener_;
  std::optional<crypto::Secret> life_key_;
  std::uint64_t counter_ = 0;
};

// A view desk between a fuse, a link and a camera that are all the test's own; the window is open for 15 minutes.
class DeskRig {
 public:
  explicit DeskRig(bool with_fuse = true);

  // An offer of a view by olle for `browser`.
  std::string offer(const Browser& browser);
  // Offers, lights, answers: the view runs if nothing says no.
  orders::Answer ask(Browser& browser);
  orders::Answer answer();  // the newest that was said

  void light(bool lit = true);
  void judge();
  // Every 100 ms, until `time` has passed.
  void pass(std::chrono::milliseconds time);

  void picture(bool key_frame, std::chrono::milliseconds age = std::chrono::milliseconds(0), std::size_t size = 1000);
  void send();
  void receive();  // as link; fills the fields below
  void hear(Browser& browser, std::optional<std::uint64_t> painted = std::nullopt);
  std::vector<sframe::Opened> decrypt_all(Browser& browser);

  // The last event's kind and reason, "view_ended window_end".
  std::string last_event();

  HubInside hub;
  FakeCamera* camera = nullptr;  // owned by `cameras`
  gate::Cameras cameras;
  UniqueFd fuse_side;
  std::unique_ptr<gate::FuseFeed> fuse;
  std::unique_ptr<gate::LinkPort> port;
  std::optional<ipc::Connection> link;
  std::unique_ptr<gate::ViewDesk> desk;
  fakes::Staff olle;

  std::vector<std::string> answers;
  std::vector<Bytes> frames;
  int stream_ends = 0;

 private:
  int asked_ = 0;
};

}  // namespace tillsyn::gate_test
