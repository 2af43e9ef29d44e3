#include "firmware/link/confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "common/base/unique_fd.h"

namespace tillsyn::link {
namespace {

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t kAll = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // all that ABI 1 knows

// What name service, CAs and OpenSSL read.
constexpr const char* kSystemPaths[] = {
    "/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/resolvconf", "/dev/urandom", "/dev/null"};

constexpr int kForbidden[] = {SCMP_SYS(execve),
                              SCMP_SYS(execveat),
                              SCMP_SYS(ptrace),
                              SCMP_SYS(mount),
                              SCMP_SYS(umount2),
                              SCMP_SYS(pivot_root),
                              SCMP_SYS(chroot),
                              SCMP_SYS(setns),
                              SCMP_SYS(unshare),
                              SCMP_SYS(bpf),
                              SCMP_SYS(perf_event_open),
                              SCMP_SYS(kexec_load),
                              SCMP_SYS(init_module),
                              SCMP_SYS(finit_module),
                              SCMP_SYS(delete_module),
                              SCMP_SYS(add_key),
                              SCMP_SYS(keyctl),
                              SCMP_SYS(request_key),
                              SCMP_SYS(userfaultfd),
                              SCMP_SYS(process_vm_readv),
                              SCMP_SYS(process_vm_writev),
                              SCMP_SYS(open_by_handle_at)};

Error failed(const std::string& what) { return {Code::kUnavailable, "confine", what + ": " + std::strerror(errno)}; }

Result<void> allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const UniqueFd target(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!target.is_open()) return errno == ENOENT ? Result<void>() : failed(path);
  struct stat file {};
  if (fstat(target.get(), &file) != 0) return failed(path);
  constexpr std::uint64_t kFileRights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(file.st_mode) ? rights : rights & kFileRights;
  rule.parent_fd = target.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) return failed(path);
  return {};
}

Result<void> confine_files(const Config& config) {
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = kAll;
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!ruleset.is_open()) {
    spdlog::warn("no Landlock in this kernel: {}", std::strerror(errno));
    return {};
  }
  for (const char* path : kSystemPaths) TILLSYN_CHECK(allow(ruleset.get(), path, kRead));
  TILLSYN_CHECK(allow(ruleset.get(), config.state_dir, kRead | kWrite));
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return failed("landlock");
  return {};
}

Result<void> confine_calls() {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter) return failed("seccomp");
  for (const int call : kForbidden) {
    if (seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0) != 0) return failed("seccomp rule");
  }
  if (seccomp_load(filter.get()) != 0) return failed("seccomp");
  return {};
}

}  // namespace

Result<void> confine(const Config& config) {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("core dumps");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("privileges");
  TILLSYN_CHECK(confine_files(config));
  return confine_calls();
}

}  // namespace tillsyn::link
