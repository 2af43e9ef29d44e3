#include "relay/http/api.h"

namespace tillsyn::http {

namespace {

unsigned status_of(Code code) {
  switch (code) {
    case Code::kMalformed:
      return 400;
    case Code::kRefused:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kWaiting:
    case Code::kConflict:
      return 409;
    case Code::kUnavailable:
    case Code::kIo:
      return 503;
    case Code::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

ApiResponse json_response(const Json& value, unsigned status) {
  ApiResponse response;
  response.status = status;
  response.body = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

ApiResponse problem(unsigned status, std::string_view code, std::string_view detail, const Json& extra) {
  Json body = extra;
  body["type"] = "about:blank";
  body["status"] = status;
  body["title"] = code;
  body["code"] = code;
  body["detail"] = detail;
  ApiResponse response = json_response(body, status);
  response.content_type = "application/problem+json";
  return response;
}

ApiResponse problem(const Error& error) {
  const unsigned status = status_of(error.code);
  // A parser's own reason is not one of the protocol's words.
  if (error.code == Code::kMalformed) return problem(status, "malformed", error.message);
  if (error.code == Code::kIo) {
    return problem(status, "store_fault", "Relät kan inte skriva till sin disk just nu. Försök igen om en stund.");
  }
  if (error.code == Code::kInternal) {
    return problem(status, "internal", "Något gick fel i relät. Försök igen; händer det igen, meddela förvaltaren.");
  }
  return problem(status, error.reason, error.message);
}

}  // namespace tillsyn::http
