#pragma once

#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "firmware/ipc/messages.h"

namespace tillsyn::link {

// The key that proves to the relay which hub this is, and nothing else. Its public part is the identity; the
// certificate around it is self-signed and made anew at each start, as nobody reads more of it than the key. Threads:
// reentrant after it is made.
class LinkKey {
 public:
  // Reads `directory`/link.key (PEM, mode 0600) or makes it. kMalformed "link_key" for a file that is no P-256 key or
  // that others may read, kIo "link_key" when the disk fails.
  static Result<LinkKey> open(const std::string& directory);

  const ByteArray<ipc::kLinkKeyBytes>& point() const { return point_; }
  const std::string& key_pem() const { return key_pem_; }
  const std::string& certificate_pem() const { return certificate_pem_; }

 private:
  LinkKey() = default;

  ByteArray<ipc::kLinkKeyBytes> point_{};
  std::string key_pem_;
  std::string certificate_pem_;
};

}  // namespace tillsyn::link
