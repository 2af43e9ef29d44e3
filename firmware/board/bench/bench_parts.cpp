#include "firmware/board/bench/fifo_button.h"
#include "firmware/board/bench/file_clock.h"
#include "firmware/board/bench/file_light.h"
#include "firmware/board/more_parts.h"

namespace tillsyn::board {

Result<std::unique_ptr<ClockSource>> make_more_clock_source(const ClockDescription& clock) {
  if (clock.kind != "file") return std::unique_ptr<ClockSource>();
  return std::unique_ptr<ClockSource>(new bench::FileClockSource(clock.path));
}

Result<std::unique_ptr<Button>> make_more_button(const ButtonDescription& button) {
  if (button.kind != "fifo") return std::unique_ptr<Button>();
  return bench::FifoButton::open(button.path);
}

Result<std::unique_ptr<Light>> make_more_light(const LightDescription& light) {
  if (light.kind != "file") return std::unique_ptr<Light>();
  return bench::FileLight::open(light.path);
}

}  // namespace tillsyn::board
