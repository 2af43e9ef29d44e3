#pragma once

#include <string>
#include <string_view>

namespace tillsyn::cli {

// A fault word of gate's or link's with what to do about it, for who stands before the hub. Pure.
std::string fault_text(std::string_view word);

}  // namespace tillsyn::cli
