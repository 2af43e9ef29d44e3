#include "firmware/board/bench/file_clock.h"

#include "common/base/json.h"
#include "firmware/files/files.h"

namespace tillsyn::board::bench {
namespace {

constexpr std::int64_t kMaxOffset = 100LL * 366 * 24 * 3600 * 1000;

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

struct Setting {
  Milliseconds offset{0};
  bool synchronised = false;
};

Result<Setting> read_setting(const std::string& path) {
  TILLSYN_TRY(content, files::read(path, 4096));
  if (!content) return Error{Code::kNotFound, "bench_clock", "no file"};
  TILLSYN_TRY(json, parse_json(text_of(*content)));
  JsonReader in(json, "clock");
  const Setting setting{Milliseconds(in.integer("offset_ms", -kMaxOffset, kMaxOffset)), in.boolean("synchronised")};
  TILLSYN_CHECK(in.finish());
  return setting;
}

}  // namespace

void FileClockSource::read_again() {
  struct stat now {};
  if (stat(path_.c_str(), &now) != 0) {
    synchronised_ = false;
    seen_ = {};
    return;
  }
  if (same_file(now, seen_)) return;
  seen_ = now;
  const auto setting = read_setting(path_);
  synchronised_ = setting && setting->synchronised;
  if (setting) offset_ = setting->offset;
}

ClockSample FileClockSource::sample() {
  read_again();
  ClockSample sample = read_clocks();
  sample.utc += offset_;
  sample.synchronised = synchronised_;
  sample.max_error = Milliseconds(0);
  sample.word = synchronised_ ? "synchronised" : "not_synchronised";
  return sample;
}

}  // namespace tillsyn::board::bench
