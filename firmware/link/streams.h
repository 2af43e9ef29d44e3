#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"
#include "firmware/link/relays.h"
#include "firmware/link/upload.h"

namespace tillsyn::link {

// The streams on their way, by stream id. A stream that ends without gate having ended it is reported to gate as lost,
// and frames of it that come later are ignored. Threads: thread-bound.
class Streams {
 public:
  static constexpr std::size_t kMaxStreams = 3;
  static constexpr std::size_t kMaxRemembered = 64;

  // Borrows all.
  Streams(Http& http, GateSession& gate, const RelayChoice& relays) : http_(http), gate_(gate), relays_(relays) {}

  void frame(ByteView stream, ByteView frame, TimePoint now);
  void end(ByteView stream, TimePoint now);
  void tick(TimePoint now);

  // Gate is gone, and nobody can make another frame of these.
  void drop_all();

  std::size_t size() const { return uploads_.size(); }

 private:
  Upload* begin(const std::string& stream);
  void lose(const std::string& stream);
  bool is_over(const std::string& stream) const;

  Http& http_;
  GateSession& gate_;
  const RelayChoice& relays_;
  std::map<std::string, std::unique_ptr<Upload>> uploads_;
  std::deque<std::string> over_;
};

}  // namespace tillsyn::link
