#include "common/crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/crypto/random.h"

namespace tillsyn::crypto {
namespace {

std::uint8_t* allocate(std::size_t size) {
  static const bool ready = sodium_init() >= 0;
  // sodium_malloc locks and marks MADV_DONTDUMP where it may, and goes on where it may not.
  void* memory = ready ? sodium_malloc(size) : nullptr;
  if (memory == nullptr) std::abort();
  sodium_memzero(memory, size);
  return static_cast<std::uint8_t*>(memory);
}

}  // namespace

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

Secret::Secret(std::size_t size) : data_(size == 0 ? nullptr : allocate(size)), size_(size) {}

Secret Secret::random(std::size_t size) {
  Secret secret(size);
  random_bytes(secret.writable());
  return secret;
}

Secret Secret::copy_of(ByteView bytes) {
  Secret secret(bytes.size());
  std::copy(bytes.begin(), bytes.end(), secret.data_);
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    sodium_free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { sodium_free(data_); }

}  // namespace tillsyn::crypto
