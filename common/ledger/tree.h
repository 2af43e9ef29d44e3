#pragma once

#include <cstdint>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::ledger {

// The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1) over SHA-256.
//
// Threads: everything in this header is reentrant; objects are thread-bound.
using Hash = ByteArray<32>;

Hash leaf_hash(ByteView entry);                       // SHA-256(0x00 ‖ entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 ‖ left ‖ right)
Hash empty_root();                                    // SHA-256 of nothing

// The hash of a complete subtree: level 0 is a leaf; (level, index) covers the leaves [index·2^level,
// (index+1)·2^level).
struct Node {
  unsigned level = 0;
  std::uint64_t index = 0;
  Hash hash{};
};

// Where hashes of complete subtrees are kept: memory, or a table.
class HashSource {
 public:
  virtual ~HashSource() = default;
  // The hash at (level, index). Asked only for subtrees that lie within the tree's size.
  virtual Result<Hash> node(unsigned level, std::uint64_t index) const = 0;
};

// A growing tree of which only the right edge is held: the hashes of the complete subtrees that together are the tree,
// largest first; as many as `size` has one-bits.
class Frontier {
 public:
  Frontier() = default;

  // The frontier as it was stored. Malformed, reason "frontier", if the number of hashes does not fit the size.
  static Result<Frontier> restore(std::uint64_t size, std::vector<Hash> edge);
  // The same from a store of subtree hashes; its error passed on.
  static Result<Frontier> load(const HashSource& source, std::uint64_t size);

  std::uint64_t size() const { return size_; }
  const std::vector<Hash>& edge() const { return edge_; }
  Hash root() const;

  // Adds a leaf. The subtrees that it completes, the leaf itself first, upwards: exactly what a HashSource has to
  // store.
  std::vector<Node> append(const Hash& leaf);

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> edge_;
};

// Every level of a tree in memory, about 64 bytes a leaf.
class MemoryTree : public HashSource {
 public:
  void append(const Hash& leaf);
  std::uint64_t size() const { return frontier_.size(); }
  Hash root() const { return frontier_.root(); }
  Result<Hash> node(unsigned level, std::uint64_t index) const override;

 private:
  Frontier frontier_;
  std::vector<std::vector<Hash>> levels_;
};

// The root of the first `size` leaves of `source`.
Result<Hash> root_at(const HashSource& source, std::uint64_t size);

}  // namespace tillsyn::ledger
