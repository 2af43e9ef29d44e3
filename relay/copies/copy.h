#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/ledger/checkpoint.h"
#include "common/ledger/tree.h"

namespace tillsyn::copies {

// What follows in a log on what its copy holds, and the log's signed word on all of it so far.
struct News {
  std::vector<std::string> entries;
  std::string note;
};

// One provider's log in a file of another machine's: a line an entry, and after each batch a line {"checkpoint": note}
// (PROTOCOL.md, "Export"), so that it can be verified whenever it ends with such a line. Only ever added to; but what
// was cut off in the middle of being written is written again, from the last checkpoint on.
//
// Failures: kIo "copy_unwritable" when folder or file cannot be read or written; kRefused "copy_disagrees" when the
// file is no copy of this log: it is left as it is. Threads: thread-bound. Waits for the disk.
class Copy {
 public:
  Copy(std::filesystem::path file, ledger::VerifierKey key) : file_(std::move(file)), key_(std::move(key)) {}

  struct Held {
    ledger::Checkpoint lines;       // over every whole line: the log has to begin with these
    std::uint64_t signed_size = 0;  // of them, as many as its last checkpoint was signed over
  };
  // What is in the file. Read through again when the file is not as this object left it.
  Result<Held> held();

  // Adds and syncs. Precondition: `held` has just answered, the log agrees, and `news` follows on what is signed.
  Result<void> append(const News& news);

 private:
  struct Known {
    ledger::Frontier entries;  // up to the last checkpoint, which ends at `bytes`
    std::uint64_t bytes = 0;
    ledger::Frontier lines;  // up to the end of the file, at `all_bytes`
    std::uint64_t all_bytes = 0;
  };

  Result<Known> read() const;

  std::filesystem::path file_;
  ledger::VerifierKey key_;
  std::optional<Known> known_;
};

}  // namespace tillsyn::copies
