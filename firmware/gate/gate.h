#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "firmware/board/button.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/fuse_feed.h"
#include "firmware/gate/hardware.h"
#include "firmware/gate/home.h"
#include "firmware/gate/link_port.h"
#include "firmware/gate/papers.h"
#include "firmware/gate/preflight.h"
#include "firmware/gate/pulse.h"
#include "firmware/gate/take_down.h"
#include "firmware/gate/view_desk.h"

namespace tillsyn::gate {

// The gate's one loop, which owns all state. Every 100 ms and at every event it asks the guard anew, ends what may no
// longer run, tells the fuse, and logs what has changed. After an I/O error of the store it acknowledges nothing, keeps
// the camera closed, and opens the store anew every 10 s.
//
// Threads: thread-bound.
class Gate {
 public:
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::chrono::milliseconds kReopenStore{10'000};
  static constexpr std::size_t kMaxUnlogged = 64;

  struct Parts {
    Home::Settings home_settings;
    std::unique_ptr<board::KeyStore> keys;
    std::unique_ptr<board::Clock> clock;
    std::unique_ptr<board::Button> button;
    Cameras cameras;
    Hardware hardware;
    ipc::Listener listener;
    UniqueFd fuse;
    UniqueFd stop;  // readable when the program shall end
  };

  Gate(Parts parts, std::unique_ptr<Home> home);

  // Runs until told to stop, or until the device key has been destroyed (success), until the fuse is gone, or until a
  // camera does not close: begins, turns while there is reason to, finishes.
  Result<void> run();

  // The same in pieces. `turn` waits for something to happen, a tick at most, and does what is to be done; false when
  // it is to finish.
  void begin();
  Result<bool> turn();
  Result<void> finish();

 private:
  struct Readable {
    bool stop = false;
    bool link = false;
    bool listener = false;
    bool button = false;
    bool fuse = false;

    bool any() const { return stop || link || listener || button || fuse; }
  };

  Readable wait();
  Result<void> serve(const Readable& readable);
  Result<void> tick();
  void speak();
  void tell_judged();

  Result<void> take_messages();
  Result<void> take(const ipc::Message& message);
  Result<void> take_document(const ipc::Message& message);
  Result<void> greet();
  Result<void> take_root_list(const std::string& envelope);
  Result<void> take_bundle(const std::string& envelope);
  Result<void> trust_taken(const char* event_kind);
  Result<void> trust_not_taken(const Error& error);
  Result<void> take_order(std::string_view text);
  Result<void> take_link_key(ByteView point);
  Result<void> take_acknowledgement(std::int64_t n);
  Result<void> read_button();
  Result<void> take_press(board::Press press);
  Result<void> button_pressed();
  Result<void> button_held();
  void keep_presses();
  Result<void> judge_waiting_orders();

  Result<void> log(const char* kind, const std::string& reason = {});
  Result<void> observe_clock();
  Result<void> observe_link();
  Result<void> observe_calls();
  Result<void> keep_floor();
  Result<void> observe_windows_ahead();
  Result<void> observe_release();
  Result<void> log_release(const char* kind, const orders::Order& release, const std::string& reason);
  Result<void> destroy_keys(const char* reason);
  void watch_pipeline();
  Result<void> stop_looking(const char* broken);
  bool must_begin_anew();
  void begin_check(bool try_light);
  void finish_check();
  void say_check(std::optional<bool> light_tried);
  void tell_status();
  void say_status();
  StatusFacts status_facts();
  Result<void> read_numbers();
  void say_all(std::vector<Document> documents);

  void store_failed(const Error& error);
  void serve_without_store(const Readable& readable);
  void reopen_store();
  Result<void> log_recovery();

  Parts parts_;
  FuseFeed fuse_;
  Pulse pulse_;
  LinkPort link_;
  ViewDesk views_;
  std::unique_ptr<Home> home_;
  board::ClockReading now_;
  Preflight preflight_;
  TakeDown take_down_;
  std::optional<bool> light_;                       // what the fuse has just said
  std::optional<board::Milliseconds> check_began_;  // the light is being tried
  std::optional<board::Milliseconds> light_tried_at_;
  bool is_over_ = false;  // the device key has been destroyed
  std::optional<Error> fatal_;
  bool store_faulted_ = false;
  bool is_press_waiting_ = false;  // the resident's, for the store to be back
  bool blocked_ = false;           // something waits for link to read
  bool was_linked_ = false;
  std::optional<board::ClockState> clock_state_;
  std::string_view clock_word_;
  std::optional<std::string> waiting_bundle_;  // came under an untrusted clock
  std::string told_status_;
  orders::LogPoint log_seen_;  // as last read from the store, for telling when it cannot be read
  std::int64_t events_ = 0;
  std::int64_t events_acknowledged_ = 0;
  Instant kept_floor_;
  std::vector<orders::Event> unlogged_;
  board::Milliseconds next_tick_{0};
  board::Milliseconds next_reopen_{0};
};

}  // namespace tillsyn::gate
