// Vectors published by others: tests/vectors/README.md names their sources.
#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/json.h"
#include "common/ledger/proof.h"
#include "common/ledger/tree.h"

using namespace tillsyn;
using namespace tillsyn::ledger;

namespace {

Json read_vectors() { return Json::parse(std::ifstream(std::string(TILLSYN_VECTORS) + "/rfc6962_merkle.json")); }

Hash hex_hash(const Json& text) {
  Hash out{};
  const Bytes bytes = *from_hex(text.get<std::string>());
  REQUIRE(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// Where the published case has text in place of a hash, some other hash stands for it.
Hash base64_hash(const Json& text) {
  const Bytes bytes = *from_base64(text.get<std::string>());
  if (bytes.size() != 32) return leaf_hash(bytes);
  Hash out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Proof proof_of(const Json& items, Hash (*read)(const Json&)) {
  Proof out;
  for (const Json& item : items) out.push_back(read(item));  // null has no items
  return out;
}

MemoryTree example_tree(const Json& vectors) {
  MemoryTree tree;
  for (const Json& leaf : vectors["tree_leaves_hex"]) tree.append(leaf_hash(*from_hex(leaf.get<std::string>())));
  return tree;
}

}  // namespace

TEST_CASE("inclusion proofs of transparency.dev are judged as published", "[ledger][AUD-1][AUD-2]") {
  const Json cases = read_vectors()["transparency_dev"]["inclusion"];
  REQUIRE(cases.size() == 98);
  for (const Json& item : cases) {
    if (item["desc"] == "empty root and leaf") continue;  // hashes of no bytes, which our types cannot hold
    CAPTURE(item["file"].get<std::string>(), item["desc"].get<std::string>());
    const auto verdict = verify_inclusion(base64_hash(item["leafHash"]), item["leafIdx"].get<std::uint64_t>(),
                                          item["treeSize"].get<std::uint64_t>(), proof_of(item["proof"], base64_hash),
                                          base64_hash(item["root"]));
    CHECK(verdict.ok() == !item["wantErr"].get<bool>());
  }
}

TEST_CASE("consistency proofs of transparency.dev are judged as published", "[ledger][AUD-1][AUD-2]") {
  const Json cases = read_vectors()["transparency_dev"]["consistency"];
  REQUIRE(cases.size() == 98);
  for (const Json& item : cases) {
    CAPTURE(item["file"].get<std::string>(), item["desc"].get<std::string>());
    const auto verdict = verify_consistency(item["size1"].get<std::uint64_t>(), item["size2"].get<std::uint64_t>(),
                                            proof_of(item["proof"], base64_hash), base64_hash(item["root1"]),
                                            base64_hash(item["root2"]));
    CHECK(verdict.ok() == !item["wantErr"].get<bool>());
  }
}

TEST_CASE("hashes, roots and proofs are Certificate Transparency's", "[ledger][AUD-1][AUD-2]") {
  const Json vectors = read_vectors()["certificate_transparency"];
  CHECK(empty_root() == hex_hash(vectors["empty_root"]));
  for (const Json& item : vectors["leaf_hashes"])
    CHECK(leaf_hash(*from_hex(item[0].get<std::string>())) == hex_hash(item[1]));
  for (const Json& item : vectors["node_hash"])
    CHECK(node_hash(hex_hash(item[0]), hex_hash(item[1])) == hex_hash(item[2]));
  const MemoryTree tree = example_tree(vectors);
  for (std::size_t n = 1; n <= tree.size(); ++n)
    CHECK(*root_at(tree, n) == hex_hash(vectors["root_after_n_leaves"][n - 1]));
  for (const Json& item : vectors["consistency"]) {
    const auto old_size = item["size1"].get<std::uint64_t>();
    const auto new_size = item["size2"].get<std::uint64_t>();
    const Proof proof = proof_of(item["proof"], hex_hash);
    CHECK(*consistency_proof(tree, old_size, new_size) == proof);
    CHECK(verify_consistency(old_size, new_size, proof, hex_hash(item["root1"]), hex_hash(item["root2"])).ok());
  }
}

TEST_CASE("an entry of a real log of 3.6 million verifies", "[ledger][AUD-2]") {
  const Json item = read_vectors()["certificate_transparency"]["big_inclusion"];
  const Hash leaf = leaf_hash(*from_hex(item["raw_leaf_hex"].get<std::string>()));
  CHECK(leaf == hex_hash(item["leaf_hash"]));
  const auto index = item["leaf_index"].get<std::uint64_t>();
  const auto size = item["tree_size"].get<std::uint64_t>();
  const Proof proof = proof_of(item["proof"], hex_hash);
  CHECK(verify_inclusion(leaf, index, size, proof, hex_hash(item["root"])).ok());
  CHECK_FALSE(verify_inclusion(leaf, index + 1, size, proof, hex_hash(item["root"])).ok());
  CHECK_FALSE(verify_inclusion(leaf, index, 2 * size, proof, hex_hash(item["root"])).ok());
}
