#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <string>

#include "common/base/result.h"
#include "relay/http/api.h"

namespace tillsyn::http {

struct RequestHead {
  ApiRequest request;        // method, path, query, bearer, origin and host
  std::string encoded_path;  // for the router
};

// What a header says. Malformed, "malformed" or "target": another version than 1.1, a target that is not a path, Host
// missing, or Host, Origin or Authorization given twice. An Authorization of another scheme counts as none.
// Threads: reentrant.
Result<RequestHead> read_head(const boost::beast::http::request<boost::beast::http::empty_body>& head);

}  // namespace tillsyn::http
