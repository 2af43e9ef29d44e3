#pragma once

#include <cstdint>
#include <vector>

#include "common/base/result.h"
#include "common/ledger/tree.h"

namespace tillsyn::ledger {

// A tree of 2^63 leaves needs no more hashes than this in any proof; parsers of proofs refuse longer ones.
constexpr std::size_t kMaxProofHashes = 64;

using Proof = std::vector<Hash>;

// Proof that leaf `index` is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1). `source` holds at least `size`
// leaves. Refused, reason "proof_range", unless index < size; the source's errors are passed on.
Result<Proof> inclusion_proof(const HashSource& source, std::uint64_t index, std::uint64_t size);

// Proof that the first `old_size` leaves are the beginning of the first `new_size` (RFC 9162 §2.1.4.1). Refused, reason
// "proof_range", unless 0 < old_size <= new_size.
Result<Proof> consistency_proof(const HashSource& source, std::uint64_t old_size, std::uint64_t new_size);

// Whether `proof` shows that `leaf` stands at `index` in the tree of `size` leaves with `root` (RFC 9162 §2.1.3.2).
// Anything else is refused with reason "inclusion_proof". Threads: pure, reentrant; so too the next.
Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const Proof& proof,
                              const Hash& root);

// Whether `proof` shows that the tree (old_size, old_root) is the beginning of (new_size, new_root) (RFC 9162
// §2.1.4.2). Equal sizes need equal roots and an empty proof. An empty old tree proves nothing and is refused: a caller
// that knows no older tree has nothing to verify. Reason: "consistency_proof".
Result<void> verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Proof& proof,
                                const Hash& old_root, const Hash& new_root);

}  // namespace tillsyn::ledger
