#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.h"

// Small files, whole. Every error names the file and says what to do. Threads: reentrant.
namespace tillsyn::admin {

using Path = std::filesystem::path;

constexpr mode_t kPublicFile = 0644;
constexpr mode_t kPrivateFile = 0600;

// What the file holds. kNotFound "file" if there is none, kMalformed if it is longer than `max_bytes`, kIo otherwise.
Result<std::string> read_file(const Path& file, std::size_t max_bytes);

// The same for a file that only its owner may read; kRefused "file_mode" otherwise.
Result<std::string> read_private_file(const Path& file, std::size_t max_bytes);

// Replaces the file in one step: its content and its name are on the disk when this returns, and a failure leaves what
// was there before. The folder must exist.
Result<void> write_file(const Path& file, std::string_view content, mode_t mode = kPublicFile);

// The same, but kConflict "file" if there is such a file already: a key that was overwritten is gone.
Result<void> write_new_file(const Path& file, std::string_view content, mode_t mode);

}  // namespace tillsyn::admin
