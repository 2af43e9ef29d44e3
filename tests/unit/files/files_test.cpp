#include "firmware/files/files.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/temp_dir.h"

using namespace tillsyn;

TEST_CASE("a private file is written whole, for its user alone", "[files]") {
  const test::TempDir dir;
  const std::string path = dir / "key";
  CHECK_FALSE(files::read_private(path, 10)->has_value());
  REQUIRE(files::write_private(path, view_of("old")).ok());
  REQUIRE(files::write_private(path, view_of("newer")).ok());
  CHECK(text_of(**files::read_private(path, 5)) == "newer");
  struct stat file {};
  REQUIRE(stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("a private file that others may read, a link or too long a file is refused", "[files]") {
  const test::TempDir dir;
  const std::string path = dir / "key";
  REQUIRE(files::write_private(path, view_of("secret")).ok());
  CHECK(files::read_private(path, 5).error().code == Code::kMalformed);
  std::filesystem::create_symlink(path, dir / "link");
  CHECK_FALSE(files::read_private(dir / "link", 10).ok());
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  CHECK(files::read_private(path, 10).error().code == Code::kMalformed);
  CHECK(text_of(**files::read(path, 10)) == "secret");
  CHECK_FALSE(files::read_private(dir.path(), 10).ok());
}

TEST_CASE("what cannot be written is an error with the path", "[files]") {
  const test::TempDir dir;
  const auto kept = files::write_private(dir / "missing/key", view_of("x"));
  REQUIRE_FALSE(kept.ok());
  CHECK(kept.error().code == Code::kIo);
  CHECK(kept.error().message.find("missing/key") != std::string::npos);
}

TEST_CASE("a destroyed file is gone, its bytes overwritten", "[files]") {
  const test::TempDir dir;
  const std::string path = dir / "key";
  CHECK(files::destroy(path).ok());
  REQUIRE(files::write_private(path, view_of("secret")).ok());
  std::ifstream still_open(path);
  REQUIRE(files::destroy(path).ok());
  CHECK_FALSE(std::filesystem::exists(path));
  std::string left(6, 'x');
  still_open.read(left.data(), 6);
  CHECK(left == std::string(6, '\0'));
}
