// A libFuzzer program for the target TILLSYN_FUZZ_TARGET. A broken promise leaves it as an exception, which libFuzzer
// reports like any crash.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto found = [] {
    const auto all = tillsyn::fuzz::targets();
    return std::find_if(all.begin(), all.end(),
                        [](const auto& target) { return target.name == std::string_view(TILLSYN_FUZZ_TARGET); });
  }();
  if (found == tillsyn::fuzz::targets().end()) std::abort();
  found->run({data, size});
  return 0;
}
