#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/bytes.h"

namespace tillsyn::crypto {

// Overwrites bytes that held a key, in a way the compiler cannot leave out. Threads: reentrant.
void wipe(std::span<std::uint8_t> bytes);

// Key material: kept out of swap and core dumps as far as the system allows, between guard pages, zeroed on destruction.
// One owner: moved, never copied by accident. Costs four pages, so it is for keys, not for bulk.
// Ends the program when memory is out. Threads: as a vector.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size);  // zero-filled, to be written through `writable`
  static Secret random(std::size_t size);
  static Secret copy_of(ByteView bytes);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // Borrowed: valid until the secret is moved from or destroyed. A fixed size: `view().first<32>()`.
  ByteView view() const { return {data_, size_}; }
  std::span<std::uint8_t> writable() { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tillsyn::crypto
