#pragma once

#include <cstdint>

// What gate and its parent say to each other over an inherited socket pair (SOCK_SEQPACKET, one byte a message).
//
// tillsyn-fuse starts gate with `--feed-fd N` added to its arguments. Gate writes one byte at each verdict (every 100
// ms) and before it opens a camera; it never blocks on it: EAGAIN is fuse being late, and the next byte tells all.
// EPIPE means that fuse has died: gate closes the camera and ends. Without --feed-fd no camera may be opened.
//
// Fuse sends SIGKILL to gate when
//  - no byte has come for kFeedTimeoutMs, counted from the first byte on; the first one may take kFirstFeedTimeoutMs,
//  - gate has held a camera descriptor (a V4L2 device, or a path of the board's `camera_paths`) for more than
//    kFeedTimeoutMs while its bytes say kVerdictClosed.
// It reads /proc/PID/fd for that, so gate must stay readable to its own user: RLIMIT_CORE 1 instead of
// PR_SET_DUMPABLE 0 (1, not 0, is what also stops a core_pattern that pipes).
namespace tillsyn::fuse {

inline constexpr std::uint8_t kVerdictClosed = 'c';  // gate holds no camera, and must not
inline constexpr std::uint8_t kVerdictOpen = 'o';    // a verdict is open: a camera may be held
inline constexpr std::uint8_t kLightWanted = 'l';    // I am about to open a camera: light first. Counts as kVerdictOpen

// Fuse's answers to kLightWanted, each one byte; gate opens the camera after kLightLit only. The light then stays lit
// as long as gate holds a camera descriptor, and for kLightGraceMs after a request that no camera has followed.
inline constexpr std::uint8_t kLightLit = 'L';     // lit, or this board has no light
inline constexpr std::uint8_t kLightFailed = 'F';  // the light could not be lit: a fault, stay closed

inline constexpr int kFeedTimeoutMs = 1000;
inline constexpr int kFirstFeedTimeoutMs = 60000;  // starting: state verified, every library loaded
inline constexpr int kLightGraceMs = 3000;

}  // namespace tillsyn::fuse
