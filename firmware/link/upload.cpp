#include "firmware/link/upload.h"

#include <algorithm>

#include "firmware/ipc/messages.h"

namespace tillsyn::link {
namespace {

constexpr Milliseconds kFarewell{5000};

}  // namespace

Upload::Upload(Http& http, const Relay& relay, ByteView stream, std::function<void(ByteView)> on_life)
    : headers_(curl_slist_append(nullptr, "Expect:")), on_life_(std::move(on_life)) {
  // An empty Expect: curl would otherwise wait a second for "100 Continue" before the first frame.
  curl_slist_append(headers_.get(), "Content-Type: application/octet-stream");
  curl_slist_append(headers_.get(), "Transfer-Encoding: chunked");
  http.prepare(*this, relay, "/hub/v1/streams/" + to_base64url(stream), TlsCheck::kFull);
  curl_easy_setopt(handle(), CURLOPT_POST, 1L);
  curl_easy_setopt(handle(), CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(handle(), CURLOPT_READFUNCTION, &Upload::on_wanted);
  curl_easy_setopt(handle(), CURLOPT_READDATA, this);
  curl_easy_setopt(handle(), CURLOPT_WRITEFUNCTION, &Upload::on_reply);
  curl_easy_setopt(handle(), CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle(), CURLOPT_HTTP_TRANSFER_DECODING, 0L);  // see ChunkReader
  http.start(*this);
}

std::size_t Upload::on_wanted(char* out, std::size_t, std::size_t size, void* self) {
  auto& upload = *static_cast<Upload*>(self);
  const std::size_t filled = upload.queue_.read({reinterpret_cast<std::uint8_t*>(out), size});
  if (filled > 0) return filled;
  if (upload.finished_at_) return 0;
  upload.paused_ = true;
  return CURL_READFUNC_PAUSE;
}

std::size_t Upload::on_reply(char* data, std::size_t, std::size_t size, void* self) {
  return static_cast<Upload*>(self)->take_reply(view_of({data, size})) ? size : 0;
}

bool Upload::take_reply(ByteView bytes) {
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return true;  // a problem's body; curl ends the exchange by itself
  const auto read = chunks_.feed(bytes, [this](ByteView data) { take_life(data); });
  if (chunks_.ended()) reason_ = "the relay has ended it";
  ended_ = ended_ || chunks_.ended();
  return read.ok();
}

void Upload::take_life(ByteView data) {
  while (!data.empty()) {
    const std::size_t part = std::min(ipc::kLifeBytes - life_.size(), data.size());
    append(life_, data.first(part));
    data = data.subspan(part);
    if (life_.size() < ipc::kLifeBytes) return;
    if (lives_.take(1, std::chrono::steady_clock::now())) on_life_(life_);
    life_.clear();
  }
}

void Upload::push(ByteView frame, TimePoint now) {
  queue_.push(frame, now);
  resume();
}

void Upload::finish(TimePoint now) {
  if (!finished_at_) finished_at_ = now;
  resume();
}

void Upload::resume() {
  if (!std::exchange(paused_, false)) return;
  curl_easy_pause(handle(), CURLPAUSE_CONT);
}

// What the relay has said may lie in TLS's own buffer, where no socket tells of it while sending is paused (curl 7.88).
void Upload::look() { resume(); }

bool Upload::has_ended(TimePoint now) const { return ended_ || (finished_at_ && now - *finished_at_ > kFarewell); }

void Upload::finished(Result<long> status) {
  ended_ = true;
  if (!status) {
    reason_ = status.error().message;
  } else if (*status != 200) {
    reason_ = "HTTP " + std::to_string(*status);
  }
}

}  // namespace tillsyn::link
