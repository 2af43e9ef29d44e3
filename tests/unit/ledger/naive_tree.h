#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/ledger/proof.h"
#include "common/ledger/tree.h"

// RFC 6962 §2.1 as it is written, recursively over all leaves: slow, and so plain that it can be read beside the text.
namespace naive {

using tillsyn::ledger::Hash;
using tillsyn::ledger::Proof;
using Leaves = std::vector<Hash>;

inline std::size_t largest_power_below(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Leaves left_of(const Leaves& d, std::size_t k) {
  return Leaves(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(k));
}
inline Leaves right_of(const Leaves& d, std::size_t k) {
  return Leaves(d.begin() + static_cast<std::ptrdiff_t>(k), d.end());
}

inline Hash root(const Leaves& d) {
  if (d.empty()) return tillsyn::ledger::empty_root();
  if (d.size() == 1) return d[0];
  const std::size_t k = largest_power_below(d.size());
  return tillsyn::ledger::node_hash(root(left_of(d, k)), root(right_of(d, k)));
}

inline Proof path(std::size_t m, const Leaves& d) {
  if (d.size() <= 1) return {};
  const std::size_t k = largest_power_below(d.size());
  Proof out = m < k ? path(m, left_of(d, k)) : path(m - k, right_of(d, k));
  out.push_back(m < k ? root(right_of(d, k)) : root(left_of(d, k)));
  return out;
}

inline Proof subproof(std::size_t m, const Leaves& d, bool is_known) {
  if (m == d.size()) return is_known ? Proof{} : Proof{root(d)};
  const std::size_t k = largest_power_below(d.size());
  Proof out = m <= k ? subproof(m, left_of(d, k), is_known) : subproof(m - k, right_of(d, k), false);
  out.push_back(m <= k ? root(right_of(d, k)) : root(left_of(d, k)));
  return out;
}

inline Leaves leaves(std::size_t count) {
  Leaves out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(tillsyn::ledger::leaf_hash(tillsyn::view_of("entry " + std::to_string(i))));
  return out;
}

}  // namespace naive
