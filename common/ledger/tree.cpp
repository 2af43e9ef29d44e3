#include "common/ledger/tree.h"

#include <bit>
#include <string>
#include <utility>

#include "common/crypto/hash.h"

namespace tillsyn::ledger {
namespace {

// Tells a leaf from an inner node, so that no entry can pass for a subtree (RFC 6962 §2.1).
constexpr std::uint8_t kLeafPrefix = 0;
constexpr std::uint8_t kNodePrefix = 1;

}  // namespace

Hash leaf_hash(ByteView entry) {
  Bytes input{kLeafPrefix};
  append(input, entry);
  return crypto::sha256(input);
}

Hash node_hash(const Hash& left, const Hash& right) {
  ByteArray<65> input{};
  input[0] = kNodePrefix;
  std::copy(left.begin(), left.end(), input.begin() + 1);
  std::copy(right.begin(), right.end(), input.begin() + 33);
  return crypto::sha256(input);
}

Hash empty_root() { return crypto::sha256({}); }

Result<Frontier> Frontier::restore(std::uint64_t size, std::vector<Hash> edge) {
  if (edge.size() != static_cast<std::size_t>(std::popcount(size))) {
    return malformed("frontier", "the right edge does not fit a tree of " + std::to_string(size) + " leaves");
  }
  Frontier out;
  out.size_ = size;
  out.edge_ = std::move(edge);
  return out;
}

Result<Frontier> Frontier::load(const HashSource& source, std::uint64_t size) {
  std::vector<Hash> edge;
  std::uint64_t covered = 0;
  while (covered < size) {
    const unsigned level = static_cast<unsigned>(std::bit_width(size - covered)) - 1;
    TILLSYN_TRY(hash, source.node(level, covered >> level));
    edge.push_back(hash);
    covered += std::uint64_t{1} << level;
  }
  return restore(size, std::move(edge));
}

Hash Frontier::root() const {
  if (edge_.empty()) return empty_root();
  Hash out = edge_.back();
  for (std::size_t i = edge_.size() - 1; i > 0; --i) out = node_hash(edge_[i - 1], out);
  return out;
}

std::vector<Node> Frontier::append(const Hash& leaf) {
  std::vector<Node> completed{{0, size_, leaf}};
  for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
    const Node below = completed.back();
    completed.push_back({below.level + 1, below.index >> 1, node_hash(edge_.back(), below.hash)});
    edge_.pop_back();
  }
  edge_.push_back(completed.back().hash);
  ++size_;
  return completed;
}

void MemoryTree::append(const Hash& leaf) {
  for (const Node& node : frontier_.append(leaf)) {
    if (node.level == levels_.size()) levels_.emplace_back();
    levels_[node.level].push_back(node.hash);
  }
}

Result<Hash> MemoryTree::node(unsigned level, std::uint64_t index) const {
  if (level < levels_.size() && index < levels_[level].size()) return levels_[level][index];
  return Error{Code::kNotFound, "tree_node", "no complete subtree there"};
}

Result<Hash> root_at(const HashSource& source, std::uint64_t size) {
  TILLSYN_TRY(frontier, Frontier::load(source, size));
  return frontier.root();
}

}  // namespace tillsyn::ledger
