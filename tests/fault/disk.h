#pragma once

#include <string>

// A small disk of its own, ext4 on a loop device: one that can lose its power. Needs root.
namespace tillsyn::fault {

bool may_mount();

class Disk {
 public:
  // `folder` is ours; the disk's image lies in it.
  Disk(std::string folder, int megabytes);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  const std::string& path() const { return path_; }
  void copy_from(const std::string& state) const;  // as path()/state

  // The power goes: nothing that was not on the disk will be there. `flushed`: the journal still was.
  void cut_power(bool flushed) const;
  // Comes back after that: unmounts, checks, mounts.
  void power_up();

  void fill() const;  // until not a byte more fits
  void make_room() const;
  void fail() const;  // the kernel finds the file system damaged and makes it read-only

 private:
  void mount();
  void unmount() const;

  std::string image_, path_;
};

}  // namespace tillsyn::fault
