#include "common/ledger/proof.h"

#include <algorithm>
#include <bit>

namespace tillsyn::ledger {
namespace {

// The largest power of two smaller than n, as a shift. Precondition: n > 1.
unsigned split_level(std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n - 1)) - 1; }

// The hash over the leaves [begin, end). Every range here begins at a multiple of the power of two that covers it, so
// its left part is always a stored subtree.
Result<Hash> range_hash(const HashSource& source, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return source.node(level, begin >> level);
  }
  const unsigned level = split_level(count);
  TILLSYN_TRY(left, source.node(level, begin >> level));
  TILLSYN_TRY(right, range_hash(source, begin + (std::uint64_t{1} << level), end));
  return node_hash(left, right);
}

// SUBPROOF of RFC 9162 §2.1.4.1, walked from the root down: `old_end` is where the old tree ends. The hashes come out
// with the topmost first.
Result<Proof> consistency_path(const HashSource& source, std::uint64_t old_end, std::uint64_t end) {
  Proof path;
  std::uint64_t begin = 0;
  while (old_end != end) {
    const std::uint64_t middle = begin + (std::uint64_t{1} << split_level(end - begin));
    const bool goes_left = old_end <= middle;
    TILLSYN_TRY(sibling, goes_left ? range_hash(source, middle, end) : range_hash(source, begin, middle));
    path.push_back(sibling);
    (goes_left ? end : begin) = middle;
  }
  if (begin == 0) return path;  // the old root itself, which the verifier has
  TILLSYN_TRY(seed, range_hash(source, begin, end));
  path.push_back(seed);
  return path;
}

// The way from a leaf up to the root, by the bits of its index and of the last leaf's (RFC 9162 §2.1.3.2, §2.1.4.2).
class Climb {
 public:
  Climb(std::uint64_t index, std::uint64_t last) : index_(index), last_(last) {}

  bool is_at_root() const { return last_ == 0; }

  void skip_right_edges() {
    while ((index_ & 1) != 0) rise();
  }

  // Joins the next sibling: whether it stands on the left. A node without a sibling on its right rises unchanged until
  // it is a right child.
  bool joins_left() {
    const bool is_left = (index_ & 1) != 0 || index_ == last_;
    while (is_left && (index_ & 1) == 0 && index_ != 0) rise();
    rise();
    return is_left;
  }

 private:
  void rise() {
    index_ >>= 1;
    last_ >>= 1;
  }

  std::uint64_t index_;
  std::uint64_t last_;
};

Error bad_inclusion() { return refused("inclusion_proof", "the proof does not show the entry in the log"); }
Error bad_consistency() { return refused("consistency_proof", "the proof does not show that the log only grew"); }

}  // namespace

Result<Proof> inclusion_proof(const HashSource& source, std::uint64_t index, std::uint64_t size) {
  if (index >= size) return refused("proof_range", "no such leaf in a tree of that size");
  Proof path;
  std::uint64_t begin = 0;
  for (std::uint64_t end = size; end - begin > 1;) {
    const std::uint64_t middle = begin + (std::uint64_t{1} << split_level(end - begin));
    const bool goes_left = index < middle;
    TILLSYN_TRY(sibling, goes_left ? range_hash(source, middle, end) : range_hash(source, begin, middle));
    path.push_back(sibling);
    (goes_left ? end : begin) = middle;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<Proof> consistency_proof(const HashSource& source, std::uint64_t old_size, std::uint64_t new_size) {
  if (old_size == 0 || old_size > new_size)
    return refused("proof_range", "the old tree must be neither empty nor larger");
  TILLSYN_TRY(path, consistency_path(source, old_size, new_size));
  std::reverse(path.begin(), path.end());
  return std::move(path);
}

Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const Proof& proof,
                              const Hash& root) {
  if (index >= size) return bad_inclusion();
  Climb climb(index, size - 1);
  Hash reached = leaf;
  for (const Hash& sibling : proof) {
    if (climb.is_at_root()) return bad_inclusion();
    reached = climb.joins_left() ? node_hash(sibling, reached) : node_hash(reached, sibling);
  }
  if (!climb.is_at_root() || reached != root) return bad_inclusion();
  return {};
}

Result<void> verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Proof& proof,
                                const Hash& old_root, const Hash& new_root) {
  if (old_size == 0 || old_size > new_size) return bad_consistency();
  if (old_size == new_size) return proof.empty() && old_root == new_root ? Result<void>() : bad_consistency();
  if (proof.empty()) return bad_consistency();
  // An old tree that is one complete subtree is its own first hash, which the proof leaves out.
  const bool is_complete = std::has_single_bit(old_size);
  Climb climb(old_size - 1, new_size - 1);
  climb.skip_right_edges();
  Hash old_reached = is_complete ? old_root : proof.front();
  Hash new_reached = old_reached;
  for (auto sibling = proof.begin() + (is_complete ? 0 : 1); sibling != proof.end(); ++sibling) {
    if (climb.is_at_root()) return bad_consistency();
    if (climb.joins_left()) {
      old_reached = node_hash(*sibling, old_reached);
      new_reached = node_hash(*sibling, new_reached);
    } else {
      new_reached = node_hash(new_reached, *sibling);
    }
  }
  if (!climb.is_at_root() || old_reached != old_root || new_reached != new_root) return bad_consistency();
  return {};
}

}  // namespace tillsyn::ledger
