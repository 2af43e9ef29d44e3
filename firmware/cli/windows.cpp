#include "common/civil/windows.h"

#include <iostream>
#include <string>

#include "firmware/cli/commands.h"

namespace tillsyn::cli {
namespace {

Result<std::string> judge(const std::string& line) {
  TILLSYN_TRY(request, parse_json(line));
  JsonReader in(request, "line");
  const Json& schedule_json = in.object("schedule");
  const std::string at_text = in.text("at", 32);
  TILLSYN_CHECK(in.finish());
  TILLSYN_TRY(schedule, civil::parse_schedule(schedule_json));
  TILLSYN_TRY(at, parse_instant(at_text));
  const auto next = civil::next_change(schedule, at);
  return std::string(R"({"open":)") + (civil::is_open(schedule, at) ? "true" : "false") + R"(,"next":)" +
         (next ? '"' + format_instant(*next) + '"' : "null") + "}";
}

std::string answer(const std::string& line) {
  const auto judged = judge(line);
  if (judged) return *judged;
  // A message may quote a member's name, cut in the middle of a letter.
  return Json{{"error", judged.error().message}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_batch() {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(line) << '\n';
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();
  }
  std::cout.flush();
  return std::cout.good() ? 0 : 1;
}

}  // namespace

void add_windows(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("windows", "When a schedule opens the camera");
  command->add_flag("--batch")->required()->description("Read JSON lines from standard input, answer each with a line");
  command->footer(
      R"(A line in:  {"schedule":{"type":"schedule","version":1,"timezone":"Europe/Stockholm","valid_from":null,
              "valid_to":null,"windows":[{"id":"w1","days":["mon"],"start":"22:30","minutes":15}],"exceptions":[]},
              "at":"2026-11-23T21:40:00Z"}      (on one line)
A line out: {"open":true,"next":"2026-11-23T21:45:00Z"}, or {"error":"what is wrong"})");
  command->callback([&exit_code] { exit_code = run_batch(); });
}

}  // namespace tillsyn::cli
