#include "tests/fault/disk.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fault/site.h"

namespace tillsyn::fault {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// FS_IOC_SHUTDOWN of linux/ext4.h, _IOR('X', 125, __u32).
constexpr unsigned long kShutdown = 0x8004587d;
constexpr std::uint32_t kFlushJournal = 1;
constexpr std::uint32_t kFlushNothing = 2;

std::string device_of(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return {};
  const auto link = "/sys/dev/block/" + std::to_string(major(about.st_dev)) + ":" + std::to_string(minor(about.st_dev));
  return fs::canonical(link).filename();
}

}  // namespace

bool may_mount() { return geteuid() == 0; }

Disk::Disk(std::string folder, int megabytes) : image_(folder + "/disk.img"), path_(folder + "/disk") {
  fs::create_directory(path_);
  std::ofstream(image_).close();
  fs::resize_file(image_, static_cast<std::uintmax_t>(megabytes) << 20);
  must_run({"mkfs.ext4", "-q", "-O", "has_journal", "-J", "size=4", "-m", "0", image_});
  mount();
}

Disk::~Disk() { run({"umount", "-l", path_}); }

void Disk::mount() { must_run({"mount", "-o", "loop,errors=remount-ro", image_, path_}); }

void Disk::unmount() const {
  REQUIRE(until([this] { return ::umount(path_.c_str()) == 0; }, 10s));
}

void Disk::copy_from(const std::string& state) const {
  must_run({"cp", "-a", state, path_ + "/state"});
  must_run({"sync", "-f", path_});
}

void Disk::cut_power(bool flushed) const {
  const UniqueFd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::uint32_t how = flushed ? kFlushJournal : kFlushNothing;
  REQUIRE(::ioctl(folder.get(), kShutdown, &how) == 0);
}

void Disk::power_up() {
  unmount();
  const int checked = run({"e2fsck", "-p", image_});
  REQUIRE(checked <= 1);
  mount();
}

void Disk::fill() const {
  const UniqueFd file(::open((path_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string much(65536, 'x');
  for (std::size_t size = much.size(); size > 0; size /= 2)
    while (::write(file.get(), much.data(), size) > 0) {
    }
  ::fsync(file.get());
}

void Disk::make_room() const { fs::remove(path_ + "/ballast"); }

void Disk::fail() const { std::ofstream("/sys/fs/ext4/" + device_of(path_) + "/trigger_fs_error") << "told to\n"; }

}  // namespace tillsyn::fault
