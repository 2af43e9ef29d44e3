#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// The rules of PROTOCOL.md once more, as plainly as they can be written and with nothing of the firmware's: what the
// gate does is held against this. Times are milliseconds since 1970 UTC, days count from 1970-01-01, minutes from
// midnight. Stockholm's clock is the European Union's rule, reckoned here and not looked up.
namespace tillsyn::property {

using Ms = std::int64_t;

inline constexpr Ms kSecond = 1000;
inline constexpr Ms kMinute = 60 * kSecond;
inline constexpr Ms kHour = 60 * kMinute;
inline constexpr Ms kDay = 24 * kHour;

Ms local_offset(Ms utc);                      // Stockholm, ahead of UTC
std::int64_t local_day(Ms utc);               // the date on the wall
int local_minute(Ms utc);                     // the time on the wall
Ms instant_of(std::int64_t day, int minute);  // when the wall shows that

struct Window {
  int start = 0;
  int minutes = 0;
  unsigned days = 0x7f;  // bit 0 Monday; of no meaning on an exceptional date
};

struct Plan {  // a schedule
  std::vector<Window> week;
  std::map<std::int64_t, std::vector<Window>> exceptions;
  std::optional<std::int64_t> valid_from, valid_to;

  std::vector<Window> on(std::int64_t day) const;
  bool is_open(Ms utc) const;
  std::vector<Ms> edges(Ms from, Ms to) const;  // beginnings and ends of windows
};

struct Terms {  // of a consent
  std::int64_t from = 0;
  std::optional<std::int64_t> to;
  int permitted_start = 0;
  int permitted_minutes = 1440;
  std::size_t per_day = 0;
  int minutes_per_day = 0;

  bool hold_on(std::int64_t day) const { return from <= day && (!to || day <= *to); }
  bool cover(const Plan& plan) const;
};

enum class Slot { kAssignment, kAcceptance, kConsent, kSchedule, kOperator };

// A standing order as the world made it.
struct Made {
  Slot slot = Slot::kConsent;
  std::int64_t version = 1;
  std::string hash, replaces;  // base64url; empty: none
  Ms signed_at = 0;
  bool is_sound = true;                    // signed by the right people, for this hub
  bool closes = false;                     // withdrawal, revocation
  std::string assignment;                  // of an acceptance
  std::optional<Terms> terms;              // of a consent that is not withdrawn
  std::optional<Plan> plan;                // of a schedule
  std::optional<std::pair<Ms, Ms>> right;  // of a grant
  std::string text;
};
using MadePtr = std::shared_ptr<const Made>;

struct TrustMade {  // a bundle
  std::int64_t counter = 0;
  Ms issued_at = 0;
  Ms expires_at = 0;
  bool hub_revoked = false;
  std::optional<Ms> operator_revoked_from;
  std::string text;
};

// What a hub must believe that has been told just that.
class Naive {
 public:
  // What reaches the hub. `now` is the time it believes, nullopt if it believes none.
  void deliver(const MadePtr& made, std::optional<Ms> now, Ms boot);
  void deliver(const TrustMade& bundle, std::optional<Ms> now, Ms wall);
  void button(Ms boot) {
    if (!resident_paused_) held_at_ = boot;
  }
  void press();
  bool is_paused_by_resident() const { return resident_paused_; }
  // The hub has judged anew what waits.
  void settle(std::optional<Ms> now, Ms boot);
  void restart() { held_at_.reset(), waiting_bundle_.reset(); }

  // Why the camera must be closed at `now`, whoever asks; empty: open.
  std::string closed(std::optional<Ms> now) const;
  // The same for the operator.
  std::string closed_to_operator(std::optional<Ms> now) const;

  const Made* held(Slot slot) const;

  std::optional<TrustMade> bundle;
  Ms root_list_expires_at = 0;

 private:
  enum class Verdict { kTake, kWait, kDrop };
  Verdict judge(const Made& made, std::optional<Ms> now, Ms boot) const;
  Verdict judge_version(const Made& made) const;
  Verdict judge_relations(const Made& made) const;
  void take(const MadePtr& made);

  std::map<Slot, MadePtr> slots_;
  std::set<std::string> taken_;
  std::vector<MadePtr> waiting_;
  std::optional<TrustMade> waiting_bundle_;
  std::optional<Ms> held_at_;
  bool resident_paused_ = false;
};

}  // namespace tillsyn::property
