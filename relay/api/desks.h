#pragma once

#include "relay/api/services.h"
#include "relay/hubs/desk.h"
#include "relay/sessions/desk.h"

namespace tillsyn::api {

// What the hub routes ask for, answered by care. Borrows `services`. Threads: as hubs::Desk.
class HubDesk : public hubs::Desk {
 public:
  explicit HubDesk(Services& services) : services_(services) {}

  Result<hubs::Trust> trust() override;
  Result<hubs::Hub> find(ByteView link_key) override;
  Result<std::vector<hubs::Hub>> enrolled() override;
  Result<hubs::Hub> enrol(const std::string& code, const Json& link_key_envelope, ByteView link_key) override;
  Result<hubs::Work> work_for(const hubs::Hub& hub, const Json& status) override;
  Result<std::uint64_t> record(const hubs::Hub& hub, const hubs::Report& report) override;

 private:
  Services& services_;
};

// What views ask for, answered by identity and care. Borrows `services`. Threads: as sessions::Desk.
class ViewDesk : public sessions::Desk {
 public:
  explicit ViewDesk(Services& services) : services_(services) {}

  Result<sessions::Viewer> authenticate(const std::string& token) override;
  Result<sessions::Viewer> look_up(const std::string& token) override;
  Result<sessions::EnteredView> accept_view(const sessions::Viewer& viewer, const std::string& order) override;
  Result<std::string> offer(const sessions::EnteredView& view, const Json& status) override;
  Result<void> saw(const sessions::EnteredView& view, const std::string& what, const std::string& reason) override;

 private:
  Services& services_;
};

}  // namespace tillsyn::api
