#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "firmware/gate/gate.h"
#include "tests/property/naive.h"
#include "tests/unit/gate/rig.h"

// The whole gate in one process with the test as everything around it: link, fuse, button, camera and time.
namespace tillsyn::property {

// What should never be said of the gate.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The steady clocks of this whole process (CLOCK_MONOTONIC, _RAW, BOOTTIME) stand still until told. Never goes back.
Ms steady_now();
void steady_pass(Ms time);

// What the time service says, and what the gate must make of it.
struct Wall {
  Ms base = 0;    // true time at steady 0
  Ms offset = 0;  // how far the clock shown is from it
  Ms max_error = 1;
  bool synchronised = true;

  Ms truth() const { return base + steady_now(); }
  Ms shown() const { return truth() + offset; }

  void step(Ms by) { offset += by, stepped_ = true, max_error = 500; }
  void mend() { offset = 0, synchronised = true, stepped_ = false, max_error = 1; }
  void restart();
  void looked();  // the gate has read the clock
  std::optional<Ms> trusted() const;

 private:
  bool stepped_ = false;
  std::optional<Ms> last_synchronised_;
};

// A camera that shows when it is told to, to everybody who has it open.
class Lens : public camera::Camera {
 public:
  struct State {
    std::set<const camera::ViewSettings*> open;
    bool fails = false;
  };
  explicit Lens(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Result<std::unique_ptr<camera::View>> open(const camera::ViewSettings& settings) override;

 private:
  std::shared_ptr<State> state_;
};

struct Frame {
  std::string stream;
  bool is_end = false;
  Ms capture = 0;  // steady
};

class Hub {
 public:
  explicit Hub(const orders::FleetRoot& root, Ms truth);

  // Kills the gate as kill -9 would, and starts it anew from its disk.
  void restart();
  // Lets the gate do what it has to do now, twice, as what comes first may ask for the light.
  void turn();
  void connect();
  void hang_up() { link_.reset(); }
  bool is_linked() const { return link_.has_value(); }

  void send(ipc::MessageType type, ByteView body);
  void send(ipc::MessageType type, const std::string& text) { send(type, view_of(text)); }
  void hold_button() { push(board::Press::kHeld); }
  void press_button() { push(board::Press::kShort); }
  Json poll();

  // What came since it was last asked.
  std::vector<Frame> frames() { return std::exchange(frames_, {}); }
  std::vector<orders::Answer> answers() { return std::exchange(answers_, {}); }

  bool is_camera_open() const { return !lens->open.empty(); }
  void picture(bool key_frame);

  // What the fuse does when it is asked for light.
  enum class Fuse { kLights, kFails, kSilent };

  gate_test::Folder folder;
  Wall wall;
  std::shared_ptr<Lens::State> lens;
  Fuse fuse = Fuse::kLights;
  std::unique_ptr<board::KeyStore> keys;

 private:
  struct Clock;
  struct Button;

  void push(board::Press press);
  void start();
  void turn_once();
  void answer_fuse();
  void receive();

  orders::FleetRoot root_;
  UniqueFd fuse_side_, stop_side_;
  Button* button_ = nullptr;  // the gate's
  std::unique_ptr<gate::Gate> gate_;
  std::optional<ipc::Connection> link_;
  std::vector<Frame> frames_;
  std::vector<orders::Answer> answers_;
  std::optional<Json> status_;
};

}  // namespace tillsyn::property
