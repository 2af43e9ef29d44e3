#include "firmware/link/enrolment.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "firmware/files/files.h"
#include "firmware/link/delivery.h"

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxFile = 4096;

Result<Enrolled> read_enrolled(const Json& json) {
  JsonReader in(json, "enrolled");
  Enrolled enrolled{in.text("hub", ipc::kHubIdBytes), in.text("provider", 32)};
  TILLSYN_CHECK(in.finish());
  return enrolled;
}

std::optional<Enrolled> load(const std::string& path) {
  const auto content = files::read(path, kMaxFile);
  if (!content || !*content) return std::nullopt;
  const auto json = parse_json(text_of(**content));
  const auto enrolled = json ? read_enrolled(*json) : Result<Enrolled>(json.error());
  if (enrolled) return *enrolled;
  spdlog::error("{}: {}", path, enrolled.error().message);
  return std::nullopt;
}

}  // namespace

Enrolment::Enrolment(std::string directory, const LinkKey& key, Http& http, GateSession& gate, RelayChoice& relays)
    : path_(std::move(directory) + "/enrolled.json"),
      point_(key.point()),
      http_(http),
      gate_(gate),
      relays_(relays),
      trust_(http, gate),
      enrolled_(load(path_)) {}

void Enrolment::begin(const std::string& code, const std::optional<std::string>& first_relay, TimePoint now,
                      Done done) {
  if (step_ != Step::kIdle) return done(refused("enrolment", "another enrolment is under way"));
  if (code.size() < kMinCode || code.size() > kMaxCode) return done(refused("enrolment", "a code has 6 to 64 letters"));
  if (first_relay && !is_host(*first_relay)) return done(refused("enrolment", "a relay is name:port"));
  if (!gate_.is_up()) return done(Error{Code::kUnavailable, "gate_away", "gate is not running"});
  code_ = code;
  done_ = std::move(done);
  deadline_ = now + kPatience;
  step_ = Step::kRelay;
  if (!relays_.current() && first_relay) fetch_first_trust(*first_relay);
}

// Nothing is known yet to check this relay by; what it hands out must be signed by the root that gate was born with.
void Enrolment::fetch_first_trust(const std::string& host) {
  trust_.fetch({host, std::nullopt}, TlsCheck::kNone, [this](const Result<void>& fetched) {
    if (!fetched) end(fetched.error());
  });
}

void Enrolment::tick(TimePoint now) {
  if (step_ == Step::kRelay && relays_.current()) {
    step_ = Step::kEnvelope;
    gate_.say(ipc::MessageType::kLinkKey, point_);
  }
  if (step_ == Step::kIdle || now < deadline_) return;
  const char* missing = step_ == Step::kRelay      ? "no relay is known: gate holds no root list"
                        : step_ == Step::kEnvelope ? "gate has not signed the link key"
                                                   : "the relay has not answered";
  end(Error{Code::kUnavailable, "enrolment_timeout", missing});
}

void Enrolment::envelope_arrived(std::string_view envelope) {
  if (step_ != Step::kEnvelope) return;
  const auto link_key = parse_json(envelope);
  if (!link_key || !relays_.current()) return end(malformed("enrolment", "gate's link key envelope is no JSON"));
  Request request;
  request.relay = *relays_.current();
  request.path = "/hub/v1/enrol";
  request.body = Json{{"format", 1}, {"code", code_}, {"link_key", *link_key}}.dump();
  step_ = Step::kPosting;
  ticket_ = http_.send(request, [this](const Result<Reply>& reply) { answered(reply); });
}

void Enrolment::answered(const Result<Reply>& reply) {
  ticket_ = 0;
  const auto json = read_reply(reply);
  end(json ? keep(*json) : Result<Enrolled>(json.error()));
}

Result<Enrolled> Enrolment::keep(const Json& answer) {
  TILLSYN_TRY(enrolled, read_enrolled(answer));
  if (enrolled.hub != gate_.hub()) return refused("wrong_hub", "the relay enrolled another hub");
  const std::string text = Json{{"hub", enrolled.hub}, {"provider", enrolled.provider}}.dump();
  TILLSYN_CHECK(files::write_private(path_, view_of(text)));
  enrolled_ = enrolled;
  return enrolled;
}

void Enrolment::end(Result<Enrolled> result) {
  http_.cancel(std::exchange(ticket_, 0));
  step_ = Step::kIdle;
  code_.clear();
  if (result) spdlog::info("enrolled as {} of {}", result->hub, result->provider);
  if (!result) spdlog::warn("not enrolled: {}: {}", result.error().reason, result.error().message);
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace tillsyn::link
