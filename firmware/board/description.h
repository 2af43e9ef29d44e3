#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// boards/<name>/board.json: what a board has, and where. Read at start by gate and fuse.
//
//   {"format":1,"name":"pc-x86_64",
//    "cameras":[{"id":"cam1","source":"v4l2","path":"/dev/video0","width":1280,"height":720,"frame_rate":15}],
//    "camera_paths":["/dev/video0"],
//    "light":{"kind":"led","path":"/sys/class/leds/tillsyn","wired":false},
//    "button":{"kind":"evdev","path":"/dev/input/event0","key":148},
//    "clock":{"kind":"chrony","path":"/run/chrony/chronyd.sock"},
//    "watchdog":{"kind":"device","path":"/dev/watchdog0"},
//    "key":{"kind":"tpm","tcti":"device:/dev/tpmrm0"}}
//
// "watchdog" may be left out: there is none. "key" too: the device key is a file in the gate's state directory.
// Relative paths count from the description's own directory. The kinds and sources marked (bench) below are read in any
// build but made only by one for the board bench.
namespace tillsyn::board {

struct CameraDescription {
  std::string id;      // [a-z0-9-]{1,32}
  std::string source;  // "v4l2"; (bench) "recording": a file played as live, "room": a synthetic room
  std::string path;    // device, or recording; for "room" a token file that is held open while the camera looks
  unsigned width = 0;  // pixels; 0: as the source has it
  unsigned height = 0;
  unsigned frame_rate = 0;  // pictures a second; 0: as the source has it
};

struct LightDescription {
  std::string kind;  // "led", "none"; (bench) "file"
  std::string path;
  bool wired = false;  // to the camera's supply: it cannot be dark while the camera has power
};

struct ButtonDescription {
  std::string kind;  // "evdev", "none"; (bench) "fifo"
  std::string path;
  int key = 0;  // linux/input-event-codes.h
};

struct ClockDescription {
  std::string kind;  // "chrony"; "kernel": whatever keeps the kernel's clock; (bench) "file"
  std::string path;  // of "chrony": chronyd's command socket
};

struct WatchdogDescription {
  std::string kind = "none";  // "device", "none"
  std::string path;
};

struct KeyDescription {
  std::string kind = "file";  // "file", "tpm"
  std::string tcti;           // of "tpm": how it is reached, as tss2-tctildr(3) says
};

struct BoardDescription {
  std::string name;                        // [a-z0-9_-]{1,32}
  std::vector<CameraDescription> cameras;  // 1-8, different ids
  std::vector<std::string> camera_paths;   // what counts as a camera when held open, besides every V4L2 device
  LightDescription light;
  ButtonDescription button;
  ClockDescription clock;
  WatchdogDescription watchdog;
  KeyDescription key;
};

// Pure. `directory` completes relative paths. kMalformed "board" for anything else than the above.
Result<BoardDescription> parse_board(std::string_view text, const std::string& directory);

// Reads the file. kIo "board" if it is not there.
Result<BoardDescription> load_board(const std::string& path);

}  // namespace tillsyn::board
