#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "relay/hubs/desk.h"

namespace tillsyn::test {

// A hub desk in memory that tests may read and write while the server runs.
class FakeHubDesk : public hubs::Desk {
 public:
  void enrol_key(ByteView link_key, const hubs::Hub& hub) {
    const std::lock_guard lock(mutex_);
    hubs_[to_base64url(link_key)] = hub;
  }
  void say(hubs::Work work) {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  void fail_to_record(bool fails) {
    const std::lock_guard lock(mutex_);
    fails_to_record_ = fails;
  }
  void revoke(ByteView link_key) {
    const std::lock_guard lock(mutex_);
    hubs_.erase(to_base64url(link_key));
  }
  std::size_t asked_whose() const {
    const std::lock_guard lock(mutex_);
    return asked_whose_;
  }
  std::size_t asked_for_work() const {
    const std::lock_guard lock(mutex_);
    return asked_for_work_;
  }
  std::size_t recorded_events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  Result<hubs::Trust> trust() override { return hubs::Trust{R"({"payload":"r"})", ""}; }

  Result<hubs::Hub> find(ByteView link_key) override {
    const std::lock_guard lock(mutex_);
    ++asked_whose_;
    const auto found = hubs_.find(to_base64url(link_key));
    if (found == hubs_.end()) return refused("unknown_link_key", "no hub is enrolled under this key; enrol again");
    return found->second;
  }
  Result<std::vector<hubs::Hub>> enrolled() override { return std::vector<hubs::Hub>(); }
  Result<hubs::Hub> enrol(const std::string& code, const Json&, ByteView link_key) override {
    if (code != "right") return refused("bad_code", "the code is not right; ask for a new one");
    enrol_key(link_key, {"hub-e", "p"});
    return hubs::Hub{"hub-e", "p"};
  }
  Result<hubs::Work> work_for(const hubs::Hub&, const Json&) override {
    const std::lock_guard lock(mutex_);
    ++asked_for_work_;
    return work_;
  }
  Result<std::uint64_t> record(const hubs::Hub&, const hubs::Report& report) override {
    const std::lock_guard lock(mutex_);
    if (fails_to_record_) return Error{Code::kIo, "store_fault", "disk full at /secret/place"};
    events_ += report.events.size();
    return std::uint64_t{events_};
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, hubs::Hub> hubs_;
  hubs::Work work_{.trust = {}, .orders = {}, .events_acked = 0};
  std::size_t asked_whose_ = 0;
  std::size_t asked_for_work_ = 0;
  std::size_t events_ = 0;
  bool fails_to_record_ = false;
};

}  // namespace tillsyn::test
