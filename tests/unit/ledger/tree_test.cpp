#include "common/ledger/tree.h"

#include <catch2/catch.hpp>

#include "common/ledger/proof.h"
#include "tests/unit/ledger/naive_tree.h"

using namespace tillsyn;
using namespace tillsyn::ledger;

namespace {

constexpr std::size_t kMost = 130;  // past two powers of two, so every shape of right edge occurs

MemoryTree tree_of(const naive::Leaves& leaves) {
  MemoryTree tree;
  for (const Hash& leaf : leaves) tree.append(leaf);
  return tree;
}

// A source that cannot be read, as a table on a broken disk.
class BrokenSource : public HashSource {
 public:
  Result<Hash> node(unsigned, std::uint64_t) const override { return Error{Code::kIo, "disk", "unreadable"}; }
};

}  // namespace

TEST_CASE("the root of every size is RFC 6962's", "[ledger][AUD-1]") {
  const naive::Leaves leaves = naive::leaves(kMost);
  const MemoryTree whole = tree_of(leaves);
  Frontier frontier;
  for (std::size_t size = 0; size <= kMost; ++size) {
    CAPTURE(size);
    const Hash expected = naive::root(naive::left_of(leaves, size));
    CHECK(frontier.root() == expected);
    CHECK(*root_at(whole, size) == expected);
    CHECK(Frontier::load(whole, size)->edge() == frontier.edge());
    CHECK(Frontier::restore(size, frontier.edge())->root() == expected);
    if (size < kMost) frontier.append(leaves[size]);
  }
}

TEST_CASE("appending names exactly the subtrees it completes", "[ledger][AUD-1]") {
  const naive::Leaves leaves = naive::leaves(8);
  Frontier frontier;
  for (std::size_t i = 0; i < 7; ++i) frontier.append(leaves[i]);
  const std::vector<Node> completed = frontier.append(leaves[7]);
  REQUIRE(completed.size() == 4);
  for (unsigned level = 0; level < 4; ++level) {
    CHECK(completed[level].level == level);
    CHECK(completed[level].index == (7u >> level));
  }
  CHECK(completed[0].hash == leaves[7]);
  CHECK(completed[3].hash == naive::root(leaves));
  CHECK(frontier.append(leaves[0]).size() == 1);
}

TEST_CASE("an edge that does not fit its size is refused", "[ledger][AUD-1]") {
  const naive::Leaves leaves = naive::leaves(3);
  CHECK_FALSE(Frontier::restore(0, {leaves[0]}).ok());
  CHECK_FALSE(Frontier::restore(1, {}).ok());
  CHECK_FALSE(Frontier::restore(3, {leaves[0]}).ok());
  CHECK_FALSE(Frontier::restore(4, {leaves[0], leaves[1]}).ok());
  CHECK(Frontier::restore(5, {leaves[0], leaves[1]}).ok());
}

TEST_CASE("a tree is not read past its end, and a broken store is said to be broken", "[ledger][AUD-1]") {
  const MemoryTree tree = tree_of(naive::leaves(5));
  CHECK(tree.node(2, 0).ok());
  CHECK_FALSE(tree.node(2, 1).ok());
  CHECK_FALSE(tree.node(3, 0).ok());
  CHECK_FALSE(tree.node(0, 5).ok());
  CHECK_FALSE(root_at(tree, 6).ok());
  CHECK_FALSE(inclusion_proof(tree, 0, 6).ok());
  CHECK_FALSE(consistency_proof(tree, 5, 6).ok());
  CHECK(root_at(BrokenSource(), 1).error().code == Code::kIo);
  CHECK(inclusion_proof(BrokenSource(), 0, 3).error().code == Code::kIo);
  CHECK(consistency_proof(BrokenSource(), 1, 3).error().code == Code::kIo);
}

TEST_CASE("an inclusion proof of every leaf in every size is RFC 6962's, and verifies for that leaf only",
          "[ledger][AUD-1][AUD-2]") {
  const naive::Leaves leaves = naive::leaves(kMost);
  const MemoryTree tree = tree_of(leaves);
  for (std::size_t size = 1; size <= kMost; ++size) {
    const naive::Leaves first = naive::left_of(leaves, size);
    const Hash root = *root_at(tree, size);
    for (std::size_t index = 0; index < size; ++index) {
      const Proof proof = *inclusion_proof(tree, index, size);
      const bool is_right =
          proof == naive::path(index, first) && verify_inclusion(leaves[index], index, size, proof, root);
      const bool fits_neighbour = verify_inclusion(leaves[index], index + 1, size, proof, root).ok() ||
                                  verify_inclusion(leaves[(index + 1) % kMost], index, size, proof, root).ok();
      CAPTURE(size, index);
      if (!is_right || fits_neighbour) FAIL_CHECK("wrong proof");
    }
  }
}

TEST_CASE("a consistency proof between every two sizes is RFC 6962's, and verifies", "[ledger][AUD-1][AUD-2]") {
  const naive::Leaves leaves = naive::leaves(kMost);
  const MemoryTree tree = tree_of(leaves);
  for (std::size_t size = 1; size <= kMost; ++size) {
    const naive::Leaves first = naive::left_of(leaves, size);
    const Hash root = *root_at(tree, size);
    for (std::size_t old = 1; old <= size; ++old) {
      const Proof proof = *consistency_proof(tree, old, size);
      const Hash old_root = *root_at(tree, old);
      CAPTURE(size, old);
      if (proof != naive::subproof(old, first, true)) FAIL_CHECK("another proof");
      if (!verify_consistency(old, size, proof, old_root, root)) FAIL_CHECK("does not verify");
    }
  }
}

TEST_CASE("every bit of a proof counts", "[ledger][AUD-1]") {
  const MemoryTree tree = tree_of(naive::leaves(23));
  const Hash leaf = *tree.node(0, 20);
  Proof inclusion = *inclusion_proof(tree, 20, 23);
  Proof consistency = *consistency_proof(tree, 11, 23);
  const Hash old_root = *root_at(tree, 11);
  const auto accepted_when_flipped = [](Proof& proof, auto verify) {
    std::size_t accepted = 0;
    for (std::size_t bit = 0; bit < proof.size() * 256; ++bit) {
      std::uint8_t& byte = proof[bit / 256][bit % 256 / 8];
      byte = static_cast<std::uint8_t>(byte ^ (1u << (bit % 8)));
      if (verify()) ++accepted;
      byte = static_cast<std::uint8_t>(byte ^ (1u << (bit % 8)));
    }
    return accepted;
  };
  const auto is_included = [&] { return verify_inclusion(leaf, 20, 23, inclusion, tree.root()).ok(); };
  const auto is_consistent = [&] { return verify_consistency(11, 23, consistency, old_root, tree.root()).ok(); };
  REQUIRE(is_included());
  REQUIRE(is_consistent());
  CHECK(accepted_when_flipped(inclusion, is_included) == 0);
  CHECK(accepted_when_flipped(consistency, is_consistent) == 0);
}

TEST_CASE("a proof that is longer, shorter or in another order is refused", "[ledger][AUD-1]") {
  const MemoryTree tree = tree_of(naive::leaves(23));
  const Hash leaf = *tree.node(0, 5);
  const Hash old_root = *root_at(tree, 11);
  for (const bool is_inclusion : {true, false}) {
    const Proof good = is_inclusion ? *inclusion_proof(tree, 5, 23) : *consistency_proof(tree, 11, 23);
    const auto verify = [&](const Proof& proof) {
      return is_inclusion ? verify_inclusion(leaf, 5, 23, proof, tree.root()).ok()
                          : verify_consistency(11, 23, proof, old_root, tree.root()).ok();
    };
    REQUIRE(verify(good));
    for (std::size_t i = 0; i < good.size(); ++i) {
      Proof shorter = good;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK_FALSE(verify(shorter));
      Proof longer = good;
      longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), Hash{});
      CHECK_FALSE(verify(longer));
      Proof swapped = good;
      std::swap(swapped[i], swapped[(i + 1) % good.size()]);
      CHECK_FALSE(verify(swapped));
    }
    Proof longer = good;
    longer.push_back(Hash{});
    CHECK_FALSE(verify(longer));
    CHECK_FALSE(verify(Proof(100, Hash{})));
    CHECK_FALSE(verify({}));
  }
}

TEST_CASE("a log that shrank, forked or was rewritten does not verify", "[ledger][AUD-1]") {
  naive::Leaves leaves = naive::leaves(40);
  const MemoryTree honest = tree_of(leaves);
  leaves[3] = leaf_hash(view_of("another entry"));
  const MemoryTree forked = tree_of(leaves);
  for (std::size_t old = 1; old <= 40; ++old) {
    CAPTURE(old);
    const Proof proof = *consistency_proof(forked, old, 40);
    const bool is_before_fork = old <= 3;
    CHECK(verify_consistency(old, 40, proof, *root_at(honest, old), forked.root()).ok() == is_before_fork);
    if (old < 40) CHECK_FALSE(verify_consistency(40, old, proof, honest.root(), *root_at(honest, old)).ok());
  }
}

TEST_CASE("an empty old tree proves nothing", "[ledger][AUD-1]") {
  const MemoryTree tree = tree_of(naive::leaves(4));
  CHECK_FALSE(verify_consistency(0, 4, {}, empty_root(), tree.root()).ok());
  CHECK_FALSE(verify_consistency(0, 0, {}, empty_root(), empty_root()).ok());
  CHECK_FALSE(consistency_proof(tree, 0, 4).ok());
  CHECK_FALSE(consistency_proof(tree, 4, 3).ok());
  CHECK_FALSE(inclusion_proof(tree, 4, 4).ok());
  CHECK_FALSE(inclusion_proof(tree, 0, 0).ok());
}

TEST_CASE("sizes near the end of 64 bits are refused in bounded time", "[ledger][AUD-1]") {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  CHECK_FALSE(verify_inclusion(Hash{}, kHuge - 1, kHuge, Proof(64), Hash{}).ok());
  CHECK_FALSE(verify_inclusion(Hash{}, kHuge, kHuge, Proof(64), Hash{}).ok());
  CHECK_FALSE(verify_consistency(kHuge - 1, kHuge, Proof(64), Hash{}, Hash{}).ok());
  CHECK_FALSE(verify_consistency(std::uint64_t{1} << 63, kHuge, Proof(64), Hash{}, Hash{}).ok());
}
