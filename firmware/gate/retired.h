#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/challenges.h"
#include "firmware/gate/link_port.h"
#include "firmware/gate/pulse.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// What is left of a gate whose device key has been destroyed: it opens no camera, signs nothing and takes no order. It
// hands the rest of its log to link, so that the relay learns of the end, and says that it is released.
//
// Threads: thread-bound.
class Retired {
 public:
  struct Parts {
    std::string hub;
    Store store;
    ipc::Listener listener;
    UniqueFd fuse;
    UniqueFd stop;  // readable when the program shall end
  };

  // The hub of this store whose key was destroyed; nullopt for one that has its key, or has never had one. kIo
  // "key_store" for a store whose key is gone without having been destroyed: another would change the hub's name. So is a store
  // beside the key of another hub.
  static Result<std::optional<std::string>> find(const board::KeyPlace& keys, const std::string& store_path);

  explicit Retired(Parts parts);

  // Runs until told to stop.
  Result<void> run();

 private:
  Result<void> take(const ipc::Message& message);
  Result<void> greet();
  Result<void> say_status();

  Parts parts_;
  Pulse pulse_;
  LinkPort link_;
  Challenges challenges_;
};

}  // namespace tillsyn::gate
