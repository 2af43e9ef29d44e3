// What the pipeline of a view costs by itself: the same source, caption and encoder into a fakesink, in a program that
// does nothing else. Prints one JSON line: user and system CPU time over `--seconds`, after `--warm` seconds of
// playing.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "firmware/camera/pipeline.h"

using namespace tillsyn;
using std::chrono::milliseconds;

namespace {

struct Options {
  std::string recording;
  unsigned kbit = 800;
  int lines = 576;
  double warm = 1;
  double seconds = 20;
};

double cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::atomic<int> pictures = 0;

void count_pictures(GstBin* pipeline) {
  GstElement* sink = gst_bin_get_by_name(pipeline, "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  const auto count = [](GstPad*, GstPadProbeInfo*, gpointer) { return ++pictures, GST_PAD_PROBE_OK; };
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, nullptr, nullptr);
  gst_object_unref(pad);
  gst_object_unref(sink);
}

void set_caption(GstBin* pipeline, const Options& options) {
  camera::configure_pipeline(pipeline, {}, {{"", "", "anna.berg"}, options.kbit, {}, {}});
  camera::set_caption_font(pipeline, options.lines);
  GstElement* top = gst_bin_get_by_name(pipeline, "top");
  g_object_set(top, "text", "X7K2M4 K7M4 2026-11-22 20:15:07Z", nullptr);
  gst_object_unref(top);
}

void measure(const Options& options) {
  const auto pause = [](double seconds) {
    std::this_thread::sleep_for(milliseconds(static_cast<int>(seconds * 1000)));
  };
  pause(options.warm);
  const int pictures_before = pictures;
  const double before = cpu_ms();
  pause(options.seconds);
  std::printf("{\"cpu_ms\":%.1f,\"pictures\":%d}\n", cpu_ms() - before, pictures - pictures_before);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("The pipeline of a view, alone");
  app.add_option("--recording", options.recording)->required();
  app.add_option("--kbit", options.kbit);
  app.add_option("--lines", options.lines, "Height of the recording's pictures");
  app.add_option("--warm", options.warm);
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);

  if (const auto prepared = camera::prepare(); !prepared)
    return std::fprintf(stderr, "%s\n", prepared.error().message.c_str()), 1;
  const auto source = camera::make_source({"recording", options.recording});
  const std::string text = camera::pipeline_text(*source, "fakesink name=sink sync=false");
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  if (!source->configure(GST_BIN(pipeline)).ok()) return 1;
  set_caption(GST_BIN(pipeline), options);
  count_pictures(GST_BIN(pipeline));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  measure(options);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return pictures > 0 ? 0 : 1;
}
