#pragma once

#include <cstdint>
#include <span>

namespace tillsyn::camera {

// A synthetic bedroom at night, for a bench without a camera and a practice without a person: a bed with somebody
// breathing under a blanket, a window, a lamp's faint light, sensor noise. Nobody's home, nobody's face.
//
// Paints the grey plane of one picture, `width` x `height` bytes with `stride` between rows, as it looks `milliseconds`
// after the start. Pure. Threads: reentrant.
void paint_room(std::span<std::uint8_t> luma, unsigned width, unsigned height, unsigned stride, std::uint64_t milliseconds);

}  // namespace tillsyn::camera
