#include "relay/hubs/hubs.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tillsyn::hubs {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

Hubs::Hubs(http::Executor loop, http::Workers& store, Desk& desk, std::function<Time()> now)
    : loop_(loop), store_(store), desk_(desk), now_(std::move(now)) {}

Hubs::Entry& Hubs::entry(const Hub& hub) {
  Entry& entry = entries_[hub.id];
  entry.known.hub = hub;
  return entry;
}

void Hubs::expect(const Hub& hub) {
  keys_.forget();
  presence_.expect(hub, now_());
  entry(hub);
}

void Hubs::heard(const Hub& hub, const Json& status) {
  const auto before = presence_.heard(hub, now_());
  Entry& of = entry(hub);
  std::string text = status.dump(-1, ' ', false, Json::error_handler_t::replace);
  const bool is_news = before != Presence::Heard::kStill || of.known.status != text;
  of.known.online = true;
  of.known.status = std::move(text);
  of.quiet.heard(status);
  if (before == Presence::Heard::kBack) spdlog::warn("event=hub_back hub={}", hub.id);
  if (is_news) changed(of);
}

void Hubs::tick() {
  for (const Hub& hub : presence_.take_lost(now_())) {
    Entry& of = entry(hub);
    of.known.online = false;
    spdlog::warn("event=hub_lost hub={}", hub.id);
    changed(of);
  }
}

void Hubs::changed(Entry& entry) {
  if (listener_ != nullptr) listener_->hub_changed(entry.known);
}

std::vector<Hubs::Known> Hubs::of_provider(const std::string& provider) const {
  std::vector<Known> out;
  for (const auto& [id, entry] : entries_) {
    if (entry.known.hub.provider == provider) out.push_back(entry.known);
  }
  return out;
}

Hubs::Count Hubs::count_of(const std::string& provider) const {
  Count count;
  for (const auto& [id, entry] : entries_) {
    if (entry.known.hub.provider == provider) ++(entry.known.online ? count.online : count.lost);
  }
  return count;
}

void Hubs::offer(const std::string& hub, PendingOffer offer) {
  Entry& of = entries_[hub];
  of.offers.push_back(std::move(offer));
  look_again(of);
}

void Hubs::withdraw(const std::string& hub, const std::string& hash) {
  const auto found = entries_.find(hub);
  if (found == entries_.end()) return;
  std::erase_if(found->second.offers, [&](const PendingOffer& offer) { return offer.hash == hash; });
}

void Hubs::look_again(Entry& entry) {
  entry.quiet.changed();
  if (entry.held != nullptr) entry.held->wake();
}

void Hubs::orders_changed(const std::string& provider, const Some& hubs) {
  if (!hubs) {
    for (auto& [id, entry] : entries_) {
      if (entry.known.hub.provider == provider) look_again(entry);
    }
    return;
  }
  for (const std::string& hub : *hubs) {
    const auto found = entries_.find(hub);
    if (found != entries_.end()) look_again(found->second);
  }
}

void Hubs::trust_changed() {
  keys_.forget();  // a hub may have been revoked
  for (auto& [id, entry] : entries_) look_again(entry);
}

asio::awaitable<Result<Hub>> Hubs::whose(const KnownKeys::Key& link_key, const http::Share& share) {
  if (const auto known = keys_.find(link_key)) co_return *known;
  const auto forgotten = keys_.forgotten();
  auto job = [this, &link_key] { return desk_.find(link_key); };
  auto found = co_await store_.run(std::move(job), share);
  if (found.ok()) keys_.remember(link_key, *found, forgotten);
  co_return found;
}

Json Hubs::status_of(const Hub& hub) const {
  const auto found = entries_.find(hub.id);
  return found == entries_.end() ? Json() : Json::parse(found->second.known.status);
}

asio::awaitable<std::vector<std::string>> Hubs::take_offers(const Hub& hub, const Json& status) {
  std::vector<std::string> texts;
  if (!status.is_object()) co_return texts;  // nobody there to judge them
  auto offers = std::exchange(entry(hub).offers, {});
  for (const PendingOffer& offer : offers) {
    auto job = [&offer, &status] { return offer.make(status); };
    const http::Share share(http::Urgency::kView, hub.provider, hub.id);
    auto text = co_await store_.run(std::move(job), share);
    if (text.ok()) {
      texts.push_back(std::move(*text));
    } else {
      offer.failed(text.error());
    }
  }
  co_return texts;
}

void Hubs::answered(const Hub& hub, const std::vector<Json>& envelopes) {
  if (listener_ == nullptr) return;
  for (const Json& envelope : envelopes) listener_->answered(hub, envelope);
}

bool Hubs::is_repetition(const Hub& hub, const std::string& said, std::chrono::milliseconds within) {
  Entry& of = entry(hub);
  const std::size_t digest = std::hash<std::string>()(said);
  if (of.said_at && of.said == digest && now_() - *of.said_at < within) return true;
  of.said = digest;
  of.said_at = now_();
  return false;
}

Hubs::Hold::Hold(Hubs& owner, const Hub& hub) : owner_(owner), hub_(hub.id), timer_(owner.loop_) {
  Hold*& place = owner_.entry(hub).held;
  if (place != nullptr) {
    place->replaced_ = true;
    place->timer_.cancel();
  }
  place = this;
}

Hubs::Hold::~Hold() {
  Hold*& place = owner_.entries_[hub_].held;
  if (place == this) place = nullptr;
}

void Hubs::Hold::wake() {
  woken_ = true;
  timer_.cancel();
}

// The peer of a held poll. Kept by whoever is told of it last: what is cancelled ends a moment later.
struct Hubs::Hold::Peer {
  http::Timer* held;  // null: nobody waits any more
  bool is_gone = false;
  asio::cancellation_signal stop_listening;
};

std::shared_ptr<Hubs::Hold::Peer> Hubs::Hold::listen_to(http::TlsStream& stream) {
  auto peer = std::make_shared<Peer>(&timer_);
  stream.async_wait_readable(
      asio::bind_cancellation_slot(peer->stop_listening.slot(), [peer](const http::error_code& error) {
        if (peer->held == nullptr) return;
        peer->is_gone = static_cast<bool>(error);
        peer->held->cancel();
      }));
  return peer;
}

// A peer that speaks while it waits for an answer wants the answer.
asio::awaitable<Hubs::Hold::Ended> Hubs::Hold::wait(Time deadline, http::TlsStream& stream) {
  if (!woken_ && !replaced_) {
    timer_.expires_after(deadline - owner_.now_());
    const auto peer = listen_to(stream);
    co_await timer_.async_wait(kAwait);
    peer->held = nullptr;
    peer->stop_listening.emit(asio::cancellation_type::terminal);
    if (peer->is_gone) co_return Ended::kPeerGone;
  }
  if (replaced_) co_return Ended::kReplaced;
  co_return std::exchange(woken_, false) ? Ended::kWoken : Ended::kDeadline;
}

}  // namespace tillsyn::hubs
