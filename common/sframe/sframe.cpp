#include "common/sframe/sframe.h"

#include "common/sframe/cipher.h"

namespace tillsyn::sframe {

Sealer::Sealer(BaseKeyView base_key, std::uint64_t kid)
    : cipher_(std::make_unique<Cipher>(base_key, kid)), counters_(std::make_unique<CounterSequence>()) {}
Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

Result<void> Sealer::seal(ByteView metadata, ByteView plaintext, Bytes& out) {
  TILLSYN_TRY(ctr, counters_->take());
  cipher_->seal_at(ctr, metadata, plaintext, out);
  return {};
}

Opener::Opener(BaseKeyView base_key, std::uint64_t kid) : cipher_(std::make_unique<Cipher>(base_key, kid)) {}
Opener::~Opener() = default;
Opener::Opener(Opener&&) noexcept = default;
Opener& Opener::operator=(Opener&&) noexcept = default;

Result<Opened> Opener::open(ByteView object, ByteView metadata) { return cipher_->open(object, metadata); }

}  // namespace tillsyn::sframe
