#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/result.h"

namespace tillsyn::admin {

struct Certificate {
  std::string subject;  // its common name, or all of its name if it has none
  Instant not_after;
};

// The certificates in a PEM text, in sequence. kMalformed "certificate" when there is none or one cannot be read.
// Threads: reentrant.
Result<std::vector<Certificate>> read_certificates(const std::string& pem);

}  // namespace tillsyn::admin
