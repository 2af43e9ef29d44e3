#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "firmware/ipc/connection.h"
#include "tests/unit/gate/views_rig.h"

// The real programs, fuse and gate, on the bench board with the synthetic room; the test is link, relay and viewer.
namespace tillsyn::gate_test {

// fuse → gate, in a folder of their own. `clock_ahead` moves the hub's clock.
class Programs {
 public:
  Programs(const orders::FleetRoot& root, std::chrono::milliseconds clock_ahead, std::optional<std::size_t> max_file,
           const Json& parts = Json::object());
  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  pid_t gate_process() const;  // 0 while there is none
  bool light_is_on() const;
  // Whether the light goes out, which the fuse delays a little.
  bool light_goes_out() const;
  void hold_button() const;
  void press_button() const;
  void set_clock(std::chrono::milliseconds ahead, bool synchronised) const;
  void allow_files_to_grow() const;

  Folder folder;

 private:
  pid_t process_ = -1;
};

// The test as tillsyn-link. What gate says is kept until it is asked for, in sequence, by type.
class Link {
 public:
  // Connects as soon as gate listens, and says hello.
  explicit Link(const Programs& programs);

  void send(ipc::MessageType type, ByteView body);
  void send(ipc::MessageType type, const std::string& text) { send(type, view_of(text)); }

  // The next message of that type for which `wanted` holds; earlier ones of the type are dropped.
  Bytes await(ipc::MessageType type, const std::function<bool(ByteView)>& wanted = nullptr,
              std::chrono::milliseconds patience = std::chrono::seconds(20));
  // The payload of the next envelope of that type that contains `text`.
  std::string payload(ipc::MessageType type, const std::string& text = {});
  Json poll();

  // Says the same again and again until gate hangs up; false if it never does.
  bool flood_until_dropped(ipc::MessageType type, const std::string& text, int times);

  // Whether gate has hung up, waiting for it longer than it takes to open a store anew.
  bool is_dropped();

  std::string hub;

 private:
  ipc::Connection connection_;
  std::map<ipc::MessageType, std::deque<Bytes>> kept_;
};

struct NightSettings {
  std::chrono::milliseconds clock_ahead{0};
  std::chrono::minutes window{60};
  std::optional<std::size_t> max_file = {};  // bytes that any file of the hub's may have
};

// A municipality that has given the hub everything it needs to open now.
class Night {
 public:
  explicit Night(const NightSettings& settings = {});

  Instant hub_time() const;
  orders::Receipt receipt();
  void accept(const orders::Order& order);
  // The answer to olle, who asks for a view with `browser`.
  orders::Answer ask(Browser& browser);
  void offer(const Browser& browser);
  orders::Order withdrawal() const;
  // Sends what is kept until the files have no room (max_file), and waits for the running view to end by it.
  void fill_disk();

  NightSettings settings;
  fakes::OrderMaker maker;
  fakes::Staff olle, carin, carl, pia, per;
  RelayLog log;
  Programs programs;
  std::optional<Link> link;
  fakes::Home home;
  std::vector<orders::Order> home_orders;

 private:
  int asked_ = 0;
};

}  // namespace tillsyn::gate_test
