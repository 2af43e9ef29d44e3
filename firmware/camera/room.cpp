#include "firmware/camera/room.h"

#include <algorithm>
#include <cmath>

namespace tillsyn::camera {
namespace {

struct Point {
  double x, y;  // 0-1 over the picture
};

bool inside_box(Point p, double left, double top, double right, double bottom) {
  return p.x >= left && p.x < right && p.y >= top && p.y < bottom;
}

bool inside_ellipse(Point p, Point centre, double rx, double ry) {
  const double dx = (p.x - centre.x) / rx;
  const double dy = (p.y - centre.y) / ry;
  return dx * dx + dy * dy <= 1;
}

// Somebody turns in the bed now and then: the head moves between two places over a few seconds, twice a minute.
double turn(double seconds) { return 0.5 + 0.5 * std::tanh(3 * std::sin(seconds * 2 * 3.14159265 / 30)); }

double wall_and_floor(Point p) { return p.y < 0.42 ? 46 + 14 * p.x : 34 - 10 * (p.y - 0.42); }

double shade(Point p, double seconds) {
  const double breath = 0.012 * std::sin(seconds * 2 * 3.14159265 / 4);
  const Point head{0.335 + 0.05 * turn(seconds), 0.545};
  const Point body{0.55, 0.62};
  if (inside_ellipse(p, head, 0.035, 0.052)) return 150;
  if (inside_ellipse(p, body, 0.235, 0.085 + breath)) return 98 + 26 * std::sin(p.x * 40);
  if (inside_box(p, 0.27, 0.50, 0.43, 0.62)) return 172;                                  // pillow
  if (inside_box(p, 0.25, 0.58, 0.84, 0.74)) return 120;                                  // sheet
  if (inside_box(p, 0.22, 0.36, 0.255, 0.84) || inside_box(p, 0.83, 0.54, 0.86, 0.84)) return 24;  // bed ends
  if (inside_box(p, 0.25, 0.74, 0.84, 0.79)) return 30;
  if (inside_box(p, 0.62, 0.08, 0.86, 0.34)) {                                            // window
    const bool bar = std::abs(p.x - 0.74) < 0.006 || std::abs(p.y - 0.21) < 0.008;
    return bar ? 40 : 18 + 20 * (0.34 - p.y);
  }
  if (inside_ellipse(p, {0.12, 0.40}, 0.05, 0.04)) return 205;                            // lamp
  if (inside_box(p, 0.06, 0.52, 0.18, 0.82)) return 58;                                   // bedside table
  const double glow = 90 * std::exp(-12 * std::hypot(p.x - 0.12, (p.y - 0.40) * 0.75));
  return wall_and_floor(p) + glow;
}

}  // namespace

void paint_room(std::span<std::uint8_t> luma, unsigned width, unsigned height, unsigned stride, std::uint64_t milliseconds) {
  const double seconds = static_cast<double>(milliseconds) / 1000;
  auto noise = static_cast<std::uint32_t>(milliseconds * 2654435761u + 1);
  for (unsigned y = 0; y < height; ++y) {
    for (unsigned x = 0; x < width; ++x) {
      noise = noise * 1664525u + 1013904223u;
      const Point p{x / static_cast<double>(width), y / static_cast<double>(height)};
      const double value = shade(p, seconds) + static_cast<double>(noise >> 30);
      luma[static_cast<std::size_t>(y) * stride + x] = static_cast<std::uint8_t>(std::clamp(value, 16.0, 235.0));
    }
  }
}

}  // namespace tillsyn::camera
