#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::board {

// The light that shows whether the camera is looking. Only tillsyn-fuse makes one. Threads: thread-bound.
class Light {
 public:
  virtual ~Light() = default;

  // kIo "light" when it could not be set; then assume nothing about it.
  virtual Result<void> set(bool lit) = 0;

  // What the light itself says, not what was last asked of it.
  virtual Result<bool> is_lit() = 0;
};

// The kernel's LED class.
class LedLight : public Light {
 public:
  // `directory` is /sys/class/leds/<name>. kUnavailable "light" if it is not there.
  static Result<std::unique_ptr<Light>> open(const std::string& directory);

  Result<void> set(bool lit) override;
  Result<bool> is_lit() override;

 private:
  LedLight(UniqueFd brightness, std::string on) : brightness_(std::move(brightness)), on_(std::move(on)) {}

  UniqueFd brightness_;
  std::string on_;  // max_brightness
};

// The light as somebody sees it who may not set it. Threads: thread-bound.
class LightSensor {
 public:
  // `path`: an LED's `brightness`, or the bench's file. kUnavailable "light" if it is not there.
  static Result<LightSensor> open(const std::string& path);

  // kIo "light" when it cannot be read.
  Result<bool> is_lit() const;

 private:
  explicit LightSensor(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// A board without a light of its own; always agrees.
class NoLight : public Light {
 public:
  Result<void> set(bool lit) override { return lit_ = lit, Result<void>(); }
  Result<bool> is_lit() override { return lit_; }

 private:
  bool lit_ = false;
};

}  // namespace tillsyn::board
