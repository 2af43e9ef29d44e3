#include "relay/hubs/quiet.h"

#include "common/crypto/hash.h"

namespace tillsyn::hubs {

namespace {

ByteArray<32> told_in(const Json& status) {
  crypto::Sha256 hash;
  for (const char* name : {"root_list", "bundle", "slots", "events_acked"}) {
    const auto member = status.is_object() ? status.find(name) : status.end();
    if (member == status.end()) continue;
    const std::string text = name + member->dump(-1, ' ', false, Json::error_handler_t::replace);
    hash.update(view_of(text));
  }
  return hash.finish();
}

}  // namespace

void Quiet::changed() {
  ++changes_;
  found_.reset();
}

void Quiet::heard(const Json& status) {
  const auto told = told_in(status);
  if (told == told_) return;
  told_ = told;
  changed();
}

void Quiet::found(std::uint64_t changes, std::uint64_t events_acked, Time now) {
  if (changes == changes_) found_ = Found{events_acked, now};
}

std::optional<std::uint64_t> Quiet::holds(Time now) const {
  if (!found_ || now - found_->at >= kLongest) return std::nullopt;
  return found_->events_acked;
}

}  // namespace tillsyn::hubs
