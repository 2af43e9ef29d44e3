#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

// Small files, whole. Reason "file" and the path in every error. Threads: reentrant.
namespace tillsyn::files {

// The whole file; nullopt if there is none. kMalformed if it is longer than `max_bytes`, kIo if it cannot be read.
Result<std::optional<Bytes>> read(const std::string& path, std::size_t max_bytes);

// The same for a file that only we may have: kMalformed if it is not a regular file of our own user with mode 0600 or
// stricter.
Result<std::optional<Bytes>> read_private(const std::string& path, std::size_t max_bytes);

// Replaces the file in one step, mode 0600: content and name are on the disk when this returns, and a crash leaves the
// old file or the new one. The directory must exist.
Result<void> write_private(const std::string& path, ByteView content);

// Overwrites the content, as far as the file system lets us, and removes the file. Success if there is none.
Result<void> destroy(const std::string& path);

}  // namespace tillsyn::files
