#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <sstream>

namespace tillsyn::property {
namespace {

struct Ended {
  int status = 0;
  std::string said;
};

Ended run(const std::string& command) {
  Ended ended;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char part[512];
  while (std::fgets(part, sizeof part, pipe) != nullptr) ended.said += part;
  ended.status = pclose(pipe);
  return ended;
}

}  // namespace

// TILLSYN_MUTANTS: folder and names of programs that walk over a gate with one fault each (CMakeLists.txt).
TEST_CASE("the walk finds every fault that is put into the judge", "[mutants][ENF-1]") {
  std::istringstream mutants(TILLSYN_MUTANTS);
  std::string folder, name;
  mutants >> folder;
  int found = 0;
  while (mutants >> name) {
    const auto ended =
        run("TILLSYN_PROPERTY_SEED=1 TILLSYN_PROPERTY_STEPS=60000 '" + folder + "/" + name + "' '[walk]' 2>&1");
    INFO(name << ": " << ended.said);
    CHECK(WIFEXITED(ended.status));
    CHECK(WEXITSTATUS(ended.status) != 0);
    CHECK(ended.said.find("BROKEN") != std::string::npos);
    ++found;
  }
  CHECK(found >= 5);
}

}  // namespace tillsyn::property
