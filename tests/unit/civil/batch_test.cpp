#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/json.h"

using namespace tillsyn;

namespace {

// A file that goes away with its owner.
class TempFile {
 public:
  explicit TempFile(const std::string& content) {
    std::string pattern = std::filesystem::temp_directory_path() / "tillsyn-windows-XXXXXX";
    const int descriptor = ::mkstemp(pattern.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    path_ = pattern;
    std::ofstream(path_) << content;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The lines that the program itself answers to the lines `input`.
std::vector<std::string> run_batch(const std::string& input) {
  const TempFile file(input);
  const std::string command = std::string("'") + TILLSYN_HUB + "' windows --batch < '" + file.path() + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char buffer[65536];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, size);
  REQUIRE(::pclose(pipe) == 0);
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end; (end = output.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(output.substr(begin, end - begin));
  }
  return lines;
}

struct Case {
  std::string line;
  std::string expected;  // empty: any error
};

std::string answer_to(const Json& item) {
  return std::string(R"({"open":)") + (item[1].get<bool>() ? "true" : "false") + R"(,"next":)" + item[2].dump() + "}";
}

std::vector<Case> read_cases() {
  std::ifstream file(std::string(TILLSYN_VECTORS) + "/windows.jsonl");
  std::vector<Case> out;
  for (std::string line; std::getline(file, line);) {
    const Json group = Json::parse(line);
    const auto ask = [&](const Json& at) { return Json{{"schedule", group["schedule"]}, {"at", at}}.dump(); };
    if (group.contains("malformed")) {
      out.push_back({ask("2026-01-01T00:00:00Z"), ""});
      continue;
    }
    for (const Json& item : group["cases"]) out.push_back({ask(item[0]), answer_to(item)});
  }
  return out;
}

bool is_error(const std::string& answer) {
  const auto value = parse_json(answer);
  return value && value->is_object() && value->size() == 1 && value->contains("error");
}

}  // namespace

TEST_CASE("the program agrees with a second implementation through every clock change 2024-2037", "[civil][ENF-3]") {
  const std::vector<Case> cases = read_cases();
  REQUIRE(cases.size() > 9000);
  std::string input;
  for (const Case& item : cases) input += item.line + '\n';
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<std::string> answers = run_batch(input);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  REQUIRE(answers.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].line, cases[i].expected, answers[i]);
    const bool agrees = cases[i].expected.empty() ? is_error(answers[i]) : answers[i] == cases[i].expected;
    if (!agrees) FAIL_CHECK("another answer");
  }
  CHECK(static_cast<double>(cases.size()) / seconds.count() > 1000);
}

TEST_CASE("a line that cannot be read is answered with an error, and the next line all the same", "[civil][ENF-3]") {
  const std::string schedule =
      R"({"type":"schedule","version":1,"timezone":"Europe/Stockholm","valid_from":null,"valid_to":null,"windows":[],"exceptions":[]})";
  const std::string good = R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59Z"})";
  const std::vector<std::string> bad = {
      "",
      "null",
      "[]",
      "{",
      good + good,
      R"({"schedule":)" + schedule + "}",
      R"({"at":"2026-03-29T00:59:59Z"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59Z","at":"2026-03-29T00:59:59Z"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59Z","trace":true})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59+00:00"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59.5Z"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-02-30T00:59:59Z"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29 00:59:59Z"})",
      R"({"schedule":)" + schedule + R"(,"at":1774745999})",
      R"({"schedule":)" + schedule + R"(,"at":null})",
      "{\"schedule\":\"\xff\",\"at\":\"2026-03-29T00:59:59Z\"}",
      R"({"schedule":{"ååååååååååååååååååååååååå":1},"at":"2026-03-29T00:59:59Z"})",
      R"({"schedule":)" + schedule + R"(,"at":"2026-03-29T00:59:59Z","xåååååååååååååååååååååååååååå":1})",
      std::string(300 * 1024, ' ') + good,
      std::string(100000, '['),
  };
  std::string input;
  for (const std::string& line : bad) input += line + '\n' + good + '\n';
  const std::vector<std::string> answers = run_batch(input);
  REQUIRE(answers.size() == 2 * bad.size());
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(bad[i].substr(0, 200), answers[2 * i]);
    CHECK(is_error(answers[2 * i]));
    CHECK(answers[2 * i + 1] == R"({"open":false,"next":null})");
  }
}

TEST_CASE("a last line without its newline is answered too, and no line with nothing", "[civil]") {
  CHECK(run_batch("{}").size() == 1);
  CHECK(run_batch("").empty());
}
