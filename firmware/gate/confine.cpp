#include "firmware/gate/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace tillsyn::gate {
namespace {

Error failure(const std::string& what) {
  return {Code::kUnavailable, "confinement", what + ": " + std::strerror(errno)};
}

// A limit of 1, not 0, is what stops a core_pattern that is a program too (core(5)). The fuse, of the same user, must
// be able to see which descriptors are open, so the program stays dumpable to it.
Result<void> forbid_dumps() {
  const rlimit none{1, 1};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return failure("core limit");
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) return failure("dumpable");
  return {};
}

bool swap_in_use() {
  std::ifstream swaps("/proc/swaps");
  std::string line;
  std::getline(swaps, line);  // the heading
  return !swaps || static_cast<bool>(std::getline(swaps, line));
}

// Everything, as pictures lie in memory that is not ours. Where nothing can be swapped it is no loss that a small limit
// forbids it.
Result<void> keep_out_of_swap() {
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
  if (!swap_in_use()) return {};
  return failure("mlockall, with swap in use");
}

class Socket {
 public:
  Socket() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// From the file, two lines of headings and then one for each interface, as netlink may be forbidden to us already.
bool only_a_loopback() {
  std::ifstream interfaces("/proc/self/net/dev");
  std::string line;
  for (int heading = 0; heading < 2; ++heading)
    if (!std::getline(interfaces, line)) return false;
  while (std::getline(interfaces, line)) {
    const auto name = line.find_first_not_of(' ');
    if (name == std::string::npos || line.compare(name, line.find(':') - name, "lo") != 0) return false;
  }
  return true;
}

bool only_a_dead_loopback() {
  const bool empty = only_a_loopback();
  Socket socket;
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  if (ioctl(socket.fd(), SIOCGIFFLAGS, &request) != 0) return empty && errno == ENODEV;
  return empty && (request.ifr_flags & IFF_UP) == 0;
}

Result<void> leave_the_network() {
  if (only_a_dead_loopback()) return {};
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return failure("network namespace");
  if (!only_a_dead_loopback()) return Error{Code::kUnavailable, "confinement", "the network namespace is not empty"};
  return {};
}

Result<void> drop_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return failure("bounding set");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failure("ambient set");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);  // forbidden, perhaps, to who has none to drop: what is left is what counts
  __user_cap_data_struct left[2] = {};
  if (syscall(SYS_capget, &header, left) != 0) return failure("capget");
  if ((left[0].permitted | left[1].permitted) != 0)
    return Error{Code::kUnavailable, "confinement", "capabilities left"};
  return {};
}

constexpr std::uint64_t kReadRights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kFileRights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kFolderRights = kFileRights | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_FIFO;
constexpr std::uint64_t kAllRights = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;  // what ABI 2 can handle
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;                // ABI 3, newer than our headers
constexpr int kDemandedAbi = 2;
constexpr int kTruncateAbi = 3;

// A Landlock ruleset being built.
class Ruleset {
 public:
  Ruleset(int fd, std::uint64_t truncate) : fd_(fd), truncate_(truncate) {}
  ~Ruleset() { ::close(fd_); }
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;

  Result<void> allow(const std::string& path, bool writable) {
    const int target = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    if (target < 0) return errno == ENOENT ? Result<void>() : failure(path);
    struct stat status {};
    const bool folder = fstat(target, &status) == 0 && S_ISDIR(status.st_mode);
    landlock_path_beneath_attr rule{};
    rule.parent_fd = target;
    rule.allowed_access = rights(folder, writable);
    const long outcome = syscall(SYS_landlock_add_rule, fd_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    ::close(target);
    return outcome == 0 ? Result<void>() : failure("landlock rule for " + path);
  }

  Result<void> enforce() {
    if (syscall(SYS_landlock_restrict_self, fd_, 0) != 0) return failure("landlock");
    return {};
  }

 private:
  std::uint64_t rights(bool folder, bool writable) const {
    if (!writable) return folder ? kReadRights : std::uint64_t{LANDLOCK_ACCESS_FS_READ_FILE};
    return (folder ? kFolderRights : kFileRights) | truncate_;
  }

  int fd_;
  std::uint64_t truncate_;
};

Result<void> restrict_files(const Territory& territory) {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < kDemandedAbi) return Error{Code::kUnavailable, "confinement", "Landlock ABI 2 is not there"};
  const std::uint64_t truncate = abi >= kTruncateAbi ? kTruncate : 0;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kAllRights | truncate;
  const long fd = syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
  if (fd < 0) return failure("landlock ruleset");
  Ruleset rules(static_cast<int>(fd), truncate);
  for (const auto& path : territory.readable) TILLSYN_CHECK(rules.allow(path, false));
  for (const auto& path : territory.writable) TILLSYN_CHECK(rules.allow(path, true));
  return rules.enforce();
}

}  // namespace

Result<void> confine_process(const Territory& territory) {
  TILLSYN_CHECK(keep_out_of_swap());
  TILLSYN_CHECK(leave_the_network());
  TILLSYN_CHECK(drop_capabilities());
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failure("no new privileges");
  TILLSYN_CHECK(restrict_files(territory));
  return forbid_dumps();
}

}  // namespace tillsyn::gate
