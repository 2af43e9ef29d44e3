#include "relay/copies/copying.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tillsyn::copies {
namespace {

using alarms::CopyHeard;

constexpr auto kEvery = std::chrono::milliseconds(500);
constexpr auto kAgain = std::chrono::seconds(5);    // after a failure
constexpr auto kBehind = std::chrono::seconds(30);  // so long not as long as the log
constexpr std::uint64_t kAtOnce = 1000;             // entries

std::string sentence_of(const std::string& provider, const Error& error, CopyHeard::State state) {
  return state == CopyHeard::State::kDisagrees
             ? "The copy of provider " + provider + "'s log is not of this log (" + error.message +
                   "): keep it as evidence, find out who changed which, and move it away."
             : "The copy of provider " + provider + "'s log cannot be written (" + error.message +
                   "): see to the folder of --ledger-copies.";
}

}  // namespace

Copying::Copying(http::Executor loop, http::Workers& store, api::Services& services, std::filesystem::path folder)
    : store_(store), services_(services), folder_(std::move(folder)), timer_(loop) {}

asio::awaitable<void> Copying::run() {
  while (!is_stopping_) {
    const auto logs = co_await store_.run([this] { return services_.logs(); });
    for (const auto& [provider, key] : logs) {
      followed_.try_emplace(provider, Followed{Copy(folder_ / (provider + ".ledger"), key), Clock::now()});
    }
    for (const auto& [provider, key] : logs) {
      if (!is_stopping_ && Clock::now() >= followed_.at(provider).not_before) co_await copy(provider);
    }
    timer_.expires_after(kEvery);
    if (!is_stopping_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  has_ended_ = true;
}

void Copying::stop() {
  is_stopping_ = true;
  timer_.cancel();
}

// A log that is far ahead is copied piece by piece.
asio::awaitable<void> Copying::copy(std::string provider) {
  bool has_more = true;
  while (has_more && !is_stopping_) {
    const auto done = co_await copy_some(provider);
    note(provider, done);
    has_more = done && *done;
  }
}

// Whether there is more.
asio::awaitable<Result<bool>> Copying::copy_some(const std::string& provider) {
  Copy& copy = followed_.at(provider).copy;
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
  Followed& one = followed_.at(provider);
  one.was_tried = true;
  if (!done) return note_failure(provider, done.error());
  if (!*done) one.level = Clock::now();
  if (one.failure) spdlog::info("event=ledger_copy_back provider={}", provider);
  one.failure.reset();
  one.trouble.clear();
}

void Copying::note_failure(const std::string& provider, const Error& error) {
  const bool disagrees = error.reason == "copy_disagrees";
  if (!disagrees && error.reason != "copy_unwritable") return;  // the log's own trouble, which is told as such
  Followed& one = followed_.at(provider);
  one.not_before = Clock::now() + kAgain;
  if (!one.failure) one.failed = Clock::now();
  one.failure = disagrees ? CopyHeard::State::kDisagrees : CopyHeard::State::kLate;
  const std::string what = sentence_of(provider, error, *one.failure);
  if (std::exchange(one.trouble, what) == what) return;
  spdlog::error("event=ledger_copy_failed provider={} reason={} why=\"{}\"", provider, error.reason, error.message);
}

bool Copying::is_behind(const Followed& one) { return Clock::now() - one.level > kBehind; }

std::string Copying::trouble() const {
  for (const auto& [provider, one] : followed_) {
    if (!one.trouble.empty()) return one.trouble;
  }
  for (const auto& [provider, one] : followed_) {
    if (is_behind(one)) {
      return "The copy of provider " + provider +
             "'s log does not keep up: the folder of --ledger-copies does not answer, or too slowly. See to it.";
    }
  }
  return {};
}

std::optional<std::map<std::string, CopyHeard>> Copying::heard() const {
  if (followed_.empty()) return std::nullopt;
  std::map<std::string, CopyHeard> out;
  for (const auto& [provider, one] : followed_) out.emplace(provider, heard_of(one));
  return out;
}

CopyHeard Copying::heard_of(const Followed& one) {
  const auto since = [](Clock::time_point then) {
    return std::chrono::floor<std::chrono::milliseconds>(Clock::now() - then);
  };
  if (one.failure == CopyHeard::State::kDisagrees) return {*one.failure, {}, since(one.failed)};
  if (one.failure) return {*one.failure, "copy_unwritable", since(one.failed)};
  if (is_behind(one)) return {CopyHeard::State::kLate, "copy_behind", since(one.level)};
  return {one.was_tried ? CopyHeard::State::kWell : CopyHeard::State::kUnknown, {}, {}};
}

}  // namespace tillsyn::copies
