#include "firmware/gate/challenges.h"

#include <algorithm>

#include "common/crypto/random.h"

namespace tillsyn::gate {

Challenge Challenges::fresh(Milliseconds boot) {
  forget_old(boot);
  if (made_.size() == kNewest) made_.pop_front();
  return made_.emplace_back(Made{crypto::random_array<32>(), boot}).value;
}

Challenge Challenges::newest(Milliseconds boot) {
  forget_old(boot);
  if (!made_.empty() && boot - made_.back().at < kLife / 2) return made_.back().value;
  return fresh(boot);
}

Result<void> Challenges::use(ByteView challenge, const std::string& act, Milliseconds boot) {
  forget_old(boot);
  if (!is_live(challenge)) return refused("unknown_challenge", "the hub did not give this challenge, or not lately");
  const auto same = [&](const Used& used) { return used.act == act; };
  if (std::any_of(used_.begin(), used_.end(), same)) return refused("replayed", "this order has been used");
  if (used_.size() >= kMaxUses) return refused("too_many_views", "too many views within two minutes");
  used_.push_back({act, boot});
  return {};
}

void Challenges::forget_old(Milliseconds boot) {
  while (!made_.empty() && boot - made_.front().at >= kLife) made_.pop_front();
  while (!used_.empty() && boot - used_.front().at >= kLife) used_.pop_front();
}

bool Challenges::is_live(ByteView challenge) const {
  return std::any_of(made_.begin(), made_.end(),
                     [&](const Made& made) { return std::ranges::equal(made.value, challenge); });
}

}  // namespace tillsyn::gate
