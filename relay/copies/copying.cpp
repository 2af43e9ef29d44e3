#include "relay/copies/copying.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tillsyn::copies {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(500);
constexpr auto kAgain = std::chrono::seconds(5);  // after a failure
constexpr auto kHangs = std::chrono::seconds(30);
constexpr std::uint64_t kAtOnce = 1000;  // entries

}  // namespace

Copying::Copying(http::Executor loop, http::Workers& store, api::Services& services, std::filesystem::path folder)
    : store_(store), services_(services), folder_(std::move(folder)), timer_(loop) {}

asio::awaitable<void> Copying::run() {
  while (!is_stopping_) {
    const auto logs = co_await store_.run([this] { return services_.logs(); });
    for (const auto& [provider, key] : logs) {
      copies_.try_emplace(provider, folder_ / (provider + ".ledger"), key);
      if (!is_stopping_ && std::chrono::steady_clock::now() >= not_before_[provider]) co_await copy(provider);
    }
    timer_.expires_after(kEvery);
    if (!is_stopping_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Copying::stop() {
  is_stopping_ = true;
  timer_.cancel();
}

// A log that is far ahead is copied piece by piece.
asio::awaitable<void> Copying::copy(std::string provider) {
  bool is_behind = true;
  while (is_behind && !is_stopping_) {
    began_ = std::chrono::steady_clock::now();
    const auto done = co_await copy_some(provider);
    began_.reset();
    note(provider, done);
    is_behind = done && *done;
  }
}

// Whether there is more.
asio::awaitable<Result<bool>> Copying::copy_some(const std::string& provider) {
  Copy& copy = copies_.at(provider);
  auto look = [&copy] { return copy.held(); };
  const auto held = co_await disk_.run(std::move(look));
  if (!held) co_return held.error();
  auto read = [this, &provider, &held] {
    return services_.log_after(provider, held->lines, held->signed_size, kAtOnce);
  };
  const auto ahead = co_await store_.run(std::move(read));
  if (!ahead) co_return ahead.error();
  copied_[provider] = held->signed_size;
  if (ahead->entries.empty()) co_return false;
  auto append = [&copy, news = News{ahead->entries, ahead->note}] { return copy.append(news); };
  const auto done = co_await disk_.run(std::move(append));
  if (!done) co_return done.error();
  copied_[provider] = held->signed_size + ahead->entries.size();
  co_return ahead->entries.size() == kAtOnce;
}

void Copying::note(const std::string& provider, const Result<bool>& done) {
  if (done) {
    if (troubles_.erase(provider) > 0) spdlog::info("event=ledger_copy_back provider={}", provider);
    return;
  }
  const bool disagrees = done.error().reason == "copy_disagrees";
  if (!disagrees && done.error().reason != "copy_unwritable") return;  // the log's own trouble, which is told as such
  const std::string what = disagrees ? "The copy of provider " + provider + "'s log is not of this log (" +
                                           done.error().message +
                                           "): keep it as evidence, find out who changed which, and move it away."
                                     : "The copy of provider " + provider + "'s log cannot be written (" +
                                           done.error().message + "): see to the folder of --ledger-copies.";
  not_before_[provider] = std::chrono::steady_clock::now() + kAgain;
  if (std::exchange(troubles_[provider], what) == what) return;
  spdlog::error("event=ledger_copy_failed provider={} reason={} why=\"{}\"", provider, done.error().reason,
                done.error().message);
}

std::string Copying::trouble() const {
  if (!troubles_.empty()) return troubles_.begin()->second;
  if (began_ && std::chrono::steady_clock::now() - *began_ > kHangs)
    return "The folder of --ledger-copies does not answer: see to it.";
  return {};
}

}  // namespace tillsyn::copies
