#include "firmware/link/streams.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tillsyn::link {

void Streams::frame(ByteView stream, ByteView frame, TimePoint now) {
  const std::string id = text_of(stream);
  if (is_over(id)) return;
  const auto found = uploads_.find(id);
  Upload* upload = found == uploads_.end() ? begin(id) : found->second.get();
  if (upload) upload->push(frame, now);
}

Upload* Streams::begin(const std::string& stream) {
  if (!relays_.current() || uploads_.size() >= kMaxStreams) {
    spdlog::warn("stream refused: {}", relays_.current() ? "too many" : "no relay");
    lose(stream);
    return nullptr;
  }
  const auto on_life = [this](ByteView life) { gate_.say(ipc::MessageType::kLife, life); };
  auto upload = std::make_unique<Upload>(http_, *relays_.current(), view_of(stream), on_life);
  return uploads_.emplace(stream, std::move(upload)).first->second.get();
}

void Streams::end(ByteView stream, TimePoint now) {
  const auto found = uploads_.find(text_of(stream));
  if (found != uploads_.end()) found->second->finish(now);
}

void Streams::tick(TimePoint now) {
  for (auto it = uploads_.begin(); it != uploads_.end();) {
    Upload& upload = *it->second;
    if (!upload.has_ended(now)) {
      upload.look();
      ++it;
      continue;
    }
    spdlog::info("stream over{}{}; {} frames dropped", upload.reason().empty() ? "" : ": ", upload.reason(),
                 upload.dropped_frames());
    const std::string stream = it->first;
    const bool was_finished = upload.was_finished();
    it = uploads_.erase(it);
    if (!was_finished) lose(stream);
  }
}

void Streams::lose(const std::string& stream) {
  over_.push_back(stream);
  if (over_.size() > kMaxRemembered) over_.pop_front();
  gate_.say(ipc::MessageType::kStreamLost, view_of(stream));
}

bool Streams::is_over(const std::string& stream) const {
  return std::find(over_.begin(), over_.end(), stream) != over_.end();
}

void Streams::drop_all() { uploads_.clear(); }

}  // namespace tillsyn::link
