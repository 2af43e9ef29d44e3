#include "relay/copies/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/base/json.h"
#include "common/ledger/entry.h"

namespace tillsyn::copies {
namespace {

constexpr std::string_view kCheckpointLine = "{\"checkpoint\":";

class File {
 public:
  File(const std::filesystem::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (is_open()) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error unwritable(const std::filesystem::path& path) {
  return {Code::kIo, "copy_unwritable", path.string() + ": " + std::strerror(errno)};
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Between look and word a folder may have come back in which there is more than was seen: what would be added then does
// not follow on it.
Result<void> expect_size(int descriptor, std::uint64_t bytes) {
  struct stat now {};
  if (::fstat(descriptor, &now) == 0 && static_cast<std::uint64_t>(now.st_size) == bytes) return {};
  return Error{Code::kIo, "copy_unwritable", "the file is not the one that was there a moment ago"};
}

// A file that has just been made is there after a power cut only once its folder is on the disk too.
Result<void> sync_folder(const std::filesystem::path& folder) {
  const File opened(folder, O_RDONLY | O_DIRECTORY);
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return unwritable(folder);
  return {};
}

bool is_note_on(const std::string& line, const ledger::VerifierKey& key, const ledger::Frontier& entries) {
  const auto value = parse_json(line, {2 * ledger::kMaxNoteBytes, 2});
  if (!value || !value->is_object() || !value->contains("checkpoint") || !(*value)["checkpoint"].is_string())
    return false;
  const auto claimed = ledger::open_checkpoint((*value)["checkpoint"].get<std::string>(), key);
  return claimed && claimed->size == entries.size() && claimed->root == entries.root();
}

std::string text_of(const News& news) {
  std::string out;
  for (const auto& entry : news.entries) out += entry + '\n';
  return out + canonical_json({{"checkpoint", news.note}}) + '\n';
}

}  // namespace

Result<Copy::Held> Copy::held() {
  struct stat now {};
  const bool is_there = ::stat(file_.c_str(), &now) == 0;
  if (!is_there && errno != ENOENT) return unwritable(file_);
  if (!is_there || !known_ || known_->all_bytes != static_cast<std::uint64_t>(now.st_size)) {
    known_.reset();
    TILLSYN_TRY(found, is_there ? read() : Result<Known>(Known{}));
    known_ = std::move(found);
  }
  return Held{{key_.name, known_->lines.size(), known_->lines.root()}, known_->entries.size()};
}

Result<Copy::Known> Copy::read() const {
  std::ifstream in(file_, std::ios::binary);
  if (!in) return unwritable(file_);
  Known out;
  std::string line;
  while (std::getline(in, line)) {
    const bool is_whole = !in.eof();
    out.all_bytes += line.size() + (is_whole ? 1 : 0);
    if (!is_whole) break;
    if (!line.starts_with(kCheckpointLine)) {
      out.lines.append(ledger::leaf_hash(view_of(line)));
    } else if (is_note_on(line, key_, out.lines)) {
      out.entries = out.lines;
      out.bytes = out.all_bytes;
    } else {
      return refused("copy_disagrees", file_.string() + " has been altered before entry " +
                                           std::to_string(out.lines.size()) + ", or is another log's");
    }
  }
  if (in.bad()) return unwritable(file_);
  return out;
}

Result<void> Copy::append(const News& news) {
  Known next = std::move(*known_);
  known_.reset();  // until it is known to be on the disk
  const bool is_new = next.bytes == 0;
  const std::string text = text_of(news);
  const File file(file_, O_WRONLY | O_APPEND | O_CREAT);
  if (!file.is_open()) return unwritable(file_);
  TILLSYN_CHECK(expect_size(file.get(), next.all_bytes));
  const bool is_cut_off = next.all_bytes > next.bytes;
  if (is_cut_off && ::ftruncate(file.get(), static_cast<off_t>(next.bytes)) != 0) return unwritable(file_);
  if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) return unwritable(file_);
  if (is_new) TILLSYN_CHECK(sync_folder(file_.parent_path()));
  for (const auto& entry : news.entries) next.entries.append(ledger::leaf_hash(view_of(entry)));
  next.bytes += text.size();
  next.lines = next.entries;
  next.all_bytes = next.bytes;
  known_ = std::move(next);
  return {};
}

}  // namespace tillsyn::copies
