#include "relay/sessions/messages.h"

namespace tillsyn::sessions {

namespace {

constexpr std::size_t kMaxTokenBytes = 256;
constexpr std::size_t kMaxHashText = 43;
constexpr std::size_t kMaxStreamText = 22;

std::string text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json list_of(const std::vector<hubs::Hubs::Known>& hubs) {
  Json list = Json::array();
  for (const auto& known : hubs) list.push_back(hub_json(known));
  return list;
}

}  // namespace

Result<Incoming> read_message(std::string_view message) {
  TILLSYN_TRY(json, parse_json(message, {.max_bytes = kMaxMessageBytes}));
  JsonReader in(json, "message");
  const std::string type = in.text("type", 32);
  Incoming out = EndView{};
  if (type == "authenticate") {
    out = Authenticate{in.text("token", kMaxTokenBytes)};
  } else if (type == "view") {
    out = StartView{text(in.object("order"))};
  } else if (type != "end") {
    in.fail("type", "must be authenticate, view or end");
  }
  TILLSYN_CHECK(in.finish());
  return out;
}

Result<AnswerHead> read_answer(const Json& envelope) {
  const auto payload = envelope.is_object() ? envelope.find("payload") : envelope.end();
  if (payload == envelope.end() || !payload->is_string()) return malformed("member", "an answer without payload");
  TILLSYN_TRY(json, parse_json(payload->get_ref<const std::string&>()));
  // Only these three: the rest is between hub and viewer.
  JsonReader in(json, "answer");
  AnswerHead out;
  out.order = in.text("order", kMaxHashText);
  out.stream = in.optional_text("stream", kMaxStreamText);
  if (in.text("type", 16) != "answer") in.fail("type", "must be answer");
  if (!in.ok()) return in.finish().error();
  return out;
}

std::string format_ready() { return R"({"type":"ready"})"; }
std::string format_changed() { return R"({"type":"changed"})"; }
std::string format_end() { return R"({"type":"end"})"; }

Json hub_json(const hubs::Hubs::Known& known) {
  return {{"hub", known.hub.id}, {"online", known.online}, {"status", Json::parse(known.status)}};
}

std::string format_hubs(const std::vector<hubs::Hubs::Known>& hubs) {
  return text({{"type", "hubs"}, {"hubs", list_of(hubs)}});
}

std::string format_offered(const EnteredView& view) {
  return text({{"type", "offered"}, {"order", view.hash}, {"entry", {{"seq", view.seq}, {"time", view.time}}}});
}

std::string format_answer(const Json& envelope) { return text({{"type", "answer"}, {"answer", envelope}}); }

std::string format_problem(const Error& error) {
  return text({{"type", "problem"}, {"code", error.reason}, {"detail", error.message}});
}

}  // namespace tillsyn::sessions
