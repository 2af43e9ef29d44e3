#include "firmware/board/description.h"

#include <algorithm>
#include <filesystem>

#include "common/base/json.h"
#include "firmware/files/files.h"

namespace tillsyn::board {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;
constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxCameras = 8;
constexpr std::int64_t kMaxPixels = 8192;

constexpr const char* kCameraName = "abcdefghijklmnopqrstuvwxyz0123456789-";
constexpr const char* kBoardName = "abcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_name(const std::string& text, const char* alphabet) {
  return !text.empty() && text.find_first_not_of(alphabet) == std::string::npos;
}

std::string complete(const std::string& directory, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(directory) / path).string();
}

Result<CameraDescription> parse_camera(const Json& json, const std::string& directory) {
  JsonReader in(json, "camera");
  CameraDescription camera;
  camera.id = in.text("id", 32);
  camera.source = in.text("source", 32);
  camera.path = complete(directory, in.text("path", kMaxPath));
  camera.width = static_cast<unsigned>(in.integer("width", 0, kMaxPixels));
  camera.height = static_cast<unsigned>(in.integer("height", 0, kMaxPixels));
  camera.frame_rate = static_cast<unsigned>(in.integer("frame_rate", 0, 60));
  if (in.ok() && !is_name(camera.id, kCameraName)) in.fail("id", "is not a name");
  TILLSYN_CHECK(in.finish());
  return camera;
}

Result<std::vector<CameraDescription>> parse_cameras(const Json& list, const std::string& directory) {
  std::vector<CameraDescription> cameras;
  for (const Json& item : list) {
    TILLSYN_TRY(camera, parse_camera(item, directory));
    const auto same = [&](const CameraDescription& other) { return other.id == camera.id; };
    if (std::any_of(cameras.begin(), cameras.end(), same)) return malformed("board", "two cameras named " + camera.id);
    cameras.push_back(camera);
  }
  if (cameras.empty()) return malformed("board", "no camera");
  return cameras;
}

Result<std::vector<std::string>> parse_paths(const Json& list, const std::string& directory) {
  std::vector<std::string> paths;
  for (const Json& item : list) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty()) return malformed("board", "camera_paths");
    paths.push_back(complete(directory, item.get<std::string>()));
  }
  return paths;
}

Result<LightDescription> parse_light(const Json& json, const std::string& directory) {
  JsonReader in(json, "light");
  LightDescription light{in.text("kind", 32), complete(directory, in.text("path", kMaxPath)), in.boolean("wired")};
  TILLSYN_CHECK(in.finish());
  return light;
}

Result<ButtonDescription> parse_button(const Json& json, const std::string& directory) {
  JsonReader in(json, "button");
  ButtonDescription button{in.text("kind", 32), complete(directory, in.text("path", kMaxPath)),
                           static_cast<int>(in.integer("key", 0, 0x2ff))};
  TILLSYN_CHECK(in.finish());
  return button;
}

Result<ClockDescription> parse_clock(const Json& json, const std::string& directory) {
  JsonReader in(json, "clock");
  ClockDescription clock{in.text("kind", 32), complete(directory, in.text("path", kMaxPath))};
  TILLSYN_CHECK(in.finish());
  return clock;
}

Result<WatchdogDescription> parse_watchdog(const Json& json, const std::string& directory) {
  JsonReader in(json, "watchdog");
  WatchdogDescription watchdog{in.text("kind", 32), complete(directory, in.text("path", kMaxPath))};
  TILLSYN_CHECK(in.finish());
  return watchdog;
}

Result<KeyDescription> parse_key(const Json& json) {
  JsonReader in(json, "key");
  KeyDescription key{in.text("kind", 32), json.contains("tcti") ? in.text("tcti", kMaxPath) : std::string()};
  if (in.ok() && (key.kind == "tpm") == key.tcti.empty()) in.fail("tcti", "belongs to a key of kind tpm, which needs it");
  TILLSYN_CHECK(in.finish());
  return key;
}

Result<BoardDescription> parse(std::string_view text, const std::string& directory) {
  TILLSYN_TRY(json, parse_json(text, {kMaxBytes, 8}));
  JsonReader in(json, "board");
  in.integer("format", 1, 1);
  const std::string name = in.text("name", 32);
  const Json& camera_list = in.array("cameras", kMaxCameras);
  const Json& path_list = in.array("camera_paths", 4 * kMaxCameras);
  const Json& light_json = in.object("light");
  const Json& button_json = in.object("button");
  const Json& clock_json = in.object("clock");
  const Json* watchdog_json = json.contains("watchdog") ? &in.object("watchdog") : nullptr;
  const Json* key_json = json.contains("key") ? &in.object("key") : nullptr;
  if (in.ok() && !is_name(name, kBoardName)) in.fail("name", "is not a name");
  TILLSYN_CHECK(in.finish());
  TILLSYN_TRY(cameras, parse_cameras(camera_list, directory));
  TILLSYN_TRY(paths, parse_paths(path_list, directory));
  TILLSYN_TRY(light, parse_light(light_json, directory));
  TILLSYN_TRY(button, parse_button(button_json, directory));
  TILLSYN_TRY(clock, parse_clock(clock_json, directory));
  TILLSYN_TRY(watchdog, watchdog_json ? parse_watchdog(*watchdog_json, directory) : WatchdogDescription());
  TILLSYN_TRY(key, key_json ? parse_key(*key_json) : KeyDescription());
  return BoardDescription{name, cameras, paths, light, button, clock, watchdog, key};
}

}  // namespace

Result<BoardDescription> parse_board(std::string_view text, const std::string& directory) {
  auto board = parse(text, directory);
  if (!board) return malformed("board", board.error().message);
  return board;
}

Result<BoardDescription> load_board(const std::string& path) {
  const auto content = files::read(path, kMaxBytes);
  if (!content) return Error{content.error().code, "board", content.error().message};
  if (!*content) return Error{Code::kIo, "board", path + ": no such file"};
  auto board = parse_board(text_of(**content), std::filesystem::absolute(path).parent_path().string());
  if (!board) return board.error().within(path);
  return board;
}

}  // namespace tillsyn::board
