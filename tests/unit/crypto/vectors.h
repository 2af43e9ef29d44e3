#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "common/base/bytes.h"
#include "common/base/json.h"

namespace tillsyn::test {

// A file under tests/vectors. Read by the plain parser: some vectors hold 64-bit integers, which our own texts may not.
inline Json load_vectors(const std::string& path) {
  std::ifstream file(std::string(TILLSYN_VECTORS) + "/" + path);
  REQUIRE(file.good());
  return Json::parse(file);
}

inline Bytes hex(const Json& vector, const char* name) {
  return *from_hex(vector.at(name).get_ref<const std::string&>());
}

inline bool has_flag(const Json& vector, const std::string& flag) {
  for (const auto& each : vector.at("flags"))
    if (each == flag) return true;
  return false;
}

inline Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

// Calls `check` with each copy of `bytes` that differs in one bit.
template <typename Check>
void for_each_flipped_bit(ByteView bytes, Check check) {
  Bytes changed = bytes_of(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
    changed[bit / 8] ^= mask;
    check(ByteView(changed), bit);
    changed[bit / 8] ^= mask;
  }
}

}  // namespace tillsyn::test
