#include "firmware/cli/faults.h"

#include <algorithm>
#include <array>

#include "common/orders/refusals.h"

namespace tillsyn::cli {
namespace {

struct Advice {
  std::string_view word;
  const char* text;
};

constexpr std::array kAdvice = {
    Advice{"gate_away", "the gate does not answer; start its service again, then read its journal"},
    Advice{"not_enrolled", "this hub is not enrolled; run tillsyn-hub enrol with a new code"},
    Advice{"relay_away", "the relay is not reached; check cable, router and mobile link"},
    Advice{"clock_never_synchronised", "no time has come yet; check that 4460/tcp and 123/udp get out, then wait"},
    Advice{"clock_stepped", "the time was stepped; wait for the time service's next update"},
    Advice{"clock_coasted_too_long", "no time for three days; check that 4460/tcp and 123/udp get out"},
    Advice{"clock_before_floor", "the time is earlier than one that has passed; correct the clock"},
    Advice{"camera_missing", "an assigned camera is not there; check its cable, then start the hub again"},
    Advice{"light_fault", "the light cannot be lit or seen; check it: without light no camera opens"},
    Advice{"no_fuse", "the gate runs without its fuse; start it by its service"},
    Advice{"disk_full", "there is hardly room left; run tillsyn-hub status, then have the hub swapped"},
    Advice{"bundle_old", "no new trust bundle for two days; check the way to the relay"},
    Advice{"keys_destroyed", "this hub has been taken down; wipe and enrol it anew at the bench"},
    Advice{"not_accepted", "test the installation and sign the acceptance"},
};

}  // namespace

std::string fault_text(std::string_view word) {
  const auto found = std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& row) { return row.word == word; });
  const char* advice = found == kAdvice.end() ? orders::sentence_for(word) : found->text;
  return std::string(word) + (advice == nullptr ? std::string() : ": " + std::string(advice));
}

}  // namespace tillsyn::cli
