#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/fuzz/target.h"

using namespace tillsyn;
using namespace tillsyn::fuzz;

namespace {

// corpus/<target>/ok-…: accepted; bad-…: refused.
std::map<std::string, Bytes> corpus_of(const Target& target) {
  std::map<std::string, Bytes> out;
  for (const auto& file : std::filesystem::directory_iterator(std::string(TILLSYN_CORPUS) + "/" + target.name)) {
    std::ifstream in(file.path(), std::ios::binary);
    out[file.path().filename()] = Bytes(std::istreambuf_iterator<char>(in), {});
  }
  return out;
}

}  // namespace

TEST_CASE("every decoder takes the good and refuses the bad of its corpus", "[fuzz][INT-4]") {
  for (const Target& target : targets()) {
    const auto corpus = corpus_of(target);
    int good = 0;
    for (const auto& [name, bytes] : corpus) {
      INFO(target.name << "/" << name);
      const bool should_be_taken = name.starts_with("ok-");
      CHECK((should_be_taken || name.starts_with("bad-")));
      CHECK(target.run(bytes) == should_be_taken);
      good += should_be_taken;
    }
    INFO(target.name);
    CHECK(good > 0);
    CHECK(corpus.size() > static_cast<std::size_t>(good));
  }
}

TEST_CASE("no decoder breaks its promises for a text cut short or with one bit changed", "[fuzz][INT-4]") {
  for (const Target& target : targets()) {
    for (const auto& [name, bytes] : corpus_of(target)) {
      INFO(target.name << "/" << name);
      const std::size_t size = std::min<std::size_t>(bytes.size(), 2048);
      for (std::size_t at = 0; at < size; ++at) {
        Bytes changed = bytes;
        changed[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
        CHECK_NOTHROW(target.run(changed));
        CHECK_NOTHROW(target.run(ByteView(bytes).first(at)));
      }
    }
  }
}
