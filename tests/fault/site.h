#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "firmware/ipc/connection.h"
#include "tests/unit/gate/views_rig.h"

// The real fuse and gate in a folder that is hurt, with the test as link and as staff.
namespace tillsyn::fault {

using std::chrono::milliseconds;

// Polls until `probe` holds; whether it ever did.
bool until(const std::function<bool()>& probe, milliseconds patience);

// Runs a command and waits for it; its exit code.
int run(const std::vector<std::string>& words);
int must_run(const std::vector<std::string>& words);

// What a hub's camera is: a synthetic room, or whatever is written to a FIFO, decoded.
struct CameraAt {
  std::string path;  // absolute; of the FIFO
};

// fuse → gate. The board lies in `dir`, the gate's state in `state`.
class Programs {
 public:
  Programs(std::string dir, std::string state, const orders::FleetRoot& root,
           const std::optional<CameraAt>& fed = std::nullopt);
  ~Programs() { kill_all(); }
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // Starts the fuse, by way of the command `before` if there is one.
  void start(const std::vector<std::string>& before = {});
  // SIGKILL to everything that `start` started.
  void kill_all();
  // SIGTERM, and waits.
  void stop();

  pid_t gate() const;  // 0 while there is none
  void kill_gate() const;
  // Whether a gate that this started has the camera open.
  bool holds_camera() const;
  bool is_lit() const;
  void hold_button() const;
  // The clock's source: how far the hub's time is from the machine's. Changes at once or not at all.
  void set_clock(milliseconds offset, bool synchronised) const;
  std::string said() const;  // by fuse and gate, since the beginning

  const std::string& state() const { return state_; }
  std::string socket() const { return dir_ + "/socket"; }

 private:
  std::string dir_, state_, camera_;
  pid_t process_ = -1;
};

// What the gate has said, and may never be as if it had not.
struct Said {
  std::map<std::int64_t, std::string> events;  // by number, envelopes
  std::set<orders::Hash> accepted;             // orders
  std::set<orders::Hash> opened;               // views
  std::vector<milliseconds> captures;          // of pictures, by the gate's monotonic clock
};

// The test as tillsyn-link. Nothing here fails when the gate dies: it is then `is_gone`.
class Link {
 public:
  // Connects as soon as the gate listens and answers; nullopt when it does not.
  static std::optional<Link> connect(const Programs& programs, Said& said, milliseconds patience);

  void send(ipc::MessageType type, ByteView body);
  void send(ipc::MessageType type, const std::string& text) { send(type, view_of(text)); }
  // Listens for that long, or until gone.
  void listen(milliseconds time);
  // Listens until a message of the type has come for which `wanted` holds.
  std::optional<Bytes> await(ipc::MessageType type, const std::function<bool(ByteView)>& wanted = nullptr,
                             milliseconds patience = std::chrono::seconds(20));
  std::optional<Json> poll(milliseconds patience = std::chrono::seconds(20));
  bool is_gone() const { return !connection_; }
  Said* said() { return said_; }

  // The newest event of that kind; 0 if there is none. And the kinds of all.
  std::int64_t newest(const std::string& kind) const;
  std::map<std::int64_t, std::string> kinds() const;

  std::string hub;
  std::int64_t frames = 0;
  std::vector<std::int64_t> events;  // as they came over this connection

 private:
  explicit Link(ipc::Connection connection, Said& said) : connection_(std::move(connection)), said_(&said) {}
  std::optional<ipc::Message> receive();
  void note(const ipc::Message& message);
  void note_frame(ByteView body);

  std::optional<ipc::Connection> connection_;
  Said* said_;
};

// A municipality, its log and one home: makes what is told to the hub. Its hub's state is kept as a template.
class Town {
 public:
  // Gives a new hub everything it needs to open now; its state then lies in `state_template()`.
  Town();

  const std::string& state_template() const { return template_; }
  const crypto::P256PublicKey& device_key() const { return *device_key_; }

  // The schedule of the template, and one that follows `before`; both open now.
  const orders::Order& first_schedule() const { return home_orders_[4]; }
  orders::Order schedule_after(const orders::Order& before) const;
  // One that is open daily from each of these on, minutes from midnight in the home.
  orders::Order windows_after(const orders::Order& before, const std::vector<int>& starts, int minutes) const;
  orders::Order withdrawal() const;
  // An offer that is good for the status.
  std::string offer(const Json& status, const gate_test::Browser& browser);
  // Asks for a view; the answer, nullopt when the gate dies over it.
  std::optional<orders::Answer> ask(Link& link, gate_test::Browser& browser);
  // "accepted", "refused …", or "" when the gate dies over it.
  std::string give(Link& link, const orders::Order& order);

  // The hub as it is now against all it has said: its log from the first event on, chained and signed, every event that
  // was seen, every order and view that was acknowledged. Empty, or what is wrong.
  std::string missing(Link& link, const Said& said);

  fakes::OrderMaker maker;
  Said said;  // while it was set up
  gate_test::Folder folder;

 private:
  std::map<std::string, fakes::Staff> staff_;
  const fakes::Staff& staff(const std::string& name) const { return staff_.at(name); }
  void provide(Link& link, const Programs& programs);

  gate_test::RelayLog log_;
  fakes::Home home_;
  std::vector<orders::Order> home_orders_;
  std::string template_;
  std::optional<crypto::P256PublicKey> device_key_;
  int asked_ = 0;
};

}  // namespace tillsyn::fault
