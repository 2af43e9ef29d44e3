#include <seccomp.h>
#include <sys/socket.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "firmware/gate/confine.h"

namespace tillsyn::gate {
namespace {

std::atomic<int> denied{-1};
static_assert(std::atomic<int>::is_always_lock_free);

// Makes a call that the filter caught return -ENOSYS.
void refuse_call(int, siginfo_t* info, void* context) {
  auto* state = static_cast<ucontext_t*>(context);
#if defined(__x86_64__)
  state->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
  state->uc_mcontext.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#else
#error "which register returns a system call's result here?"
#endif
  denied.store(info->si_syscall, std::memory_order_relaxed);
}

// What the gate, SQLite, GStreamer, V4L2 and x264 use once they run.
constexpr const char* kAllowed[] = {
    // files, within what Landlock leaves
    "access", "close", "close_range", "creat", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64",
    "fallocate", "fchmod", "fchown", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd",
    "getdents64", "lseek", "lstat", "newfstatat", "open", "openat", "pread64", "preadv", "pwrite64", "pwritev", "read",
    "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "stat", "statfs", "statx", "unlink",
    "unlinkat", "write", "writev", "ioctl", "umask", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    // sockets that are there already
    "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg", "recvmmsg", "sendmsg", "sendto",
    "setsockopt", "shutdown",
    // waiting
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "futex", "pipe", "pipe2",
    "poll", "ppoll", "pselect6", "select", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // memory
    "brk", "get_mempolicy", "madvise", "memfd_create", "mincore", "mlock", "mlock2", "mmap", "mprotect", "mremap",
    "msync", "munlock", "munmap",
    // threads, time, and what a process asks about itself
    "adjtimex", "clock_adjtime", "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group",
    "get_robust_list", "getcpu", "getegid", "geteuid", "getgid", "getpid", "getppid", "getpriority", "getrandom",
    "getresgid", "getresuid", "getrlimit", "getrusage", "gettid", "gettimeofday", "getuid", "membarrier", "nanosleep",
    "prctl", "prlimit64", "restart_syscall", "rseq", "set_mempolicy", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_get_priority_max", "sched_get_priority_min",
    "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_setaffinity", "sched_setattr",
    "sched_setscheduler", "sched_yield", "set_robust_list", "set_tid_address", "sigaltstack", "sysinfo", "tgkill",
    "time", "times", "uname"};

// Nothing of ours ever asks for these.
constexpr const char* kDeadly[] = {"execve",
                                   "execveat",
                                   "ptrace",
                                   "socket",
                                   "process_vm_readv",
                                   "connect",
                                   "bind",
                                   "process_vm_writev",
                                   "init_module",
                                   "finit_module",
                                   "bpf",
                                   "mount",
                                   "pivot_root",
                                   "kexec_load",
                                   "perf_event_open"};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_TRAP), seccomp_release) {}

  void rule(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) return;  // not on this architecture
    keep(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(arguments.size()),
                                arguments.begin()));
  }

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    keep(seccomp_attr_set(context_.get(), attribute, value));
  }

  Result<void> load() {
    if (context_ == nullptr) keep(-ENOMEM);
    if (error_ == 0) keep(seccomp_load(context_.get()));
    if (error_ == 0) return {};
    return Error{Code::kUnavailable, "confinement", std::string("seccomp: ") + std::strerror(-error_)};
  }

 private:
  void keep(int outcome) {
    if (error_ == 0 && outcome < 0) error_ = outcome;
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int error_ = 0;
};

Result<void> install_handler() {
  struct sigaction action {};
  action.sa_sigaction = refuse_call;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) == 0) return {};
  return Error{Code::kUnavailable, "confinement", "no handler for SIGSYS"};
}

}  // namespace

Result<void> confine_system_calls() {
  TILLSYN_CHECK(install_handler());
  Filter filter;
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  filter.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (const char* name : kAllowed) filter.rule(SCMP_ACT_ALLOW, name);
  for (const char* name : kDeadly) filter.rule(SCMP_ACT_KILL_PROCESS, name);
  filter.rule(SCMP_ACT_ALLOW, "socketpair", {SCMP_A0(SCMP_CMP_EQ, AF_UNIX)});
  // Threads, but no processes. clone3 hides its flags behind a pointer; libc goes on with clone when it is not there.
  constexpr scmp_datum_t kThread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
  filter.rule(SCMP_ACT_ALLOW, "clone", {SCMP_A0(SCMP_CMP_MASKED_EQ, kThread, kThread)});
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  return filter.load();
}

std::optional<int> denied_call() {
  const int number = denied.exchange(-1, std::memory_order_relaxed);
  if (number < 0) return std::nullopt;
  return number;
}

}  // namespace tillsyn::gate
