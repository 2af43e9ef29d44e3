#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app("The municipality's command line: trust, keys, the log", "tillsyn-admin");
  app.require_subcommand(1);
  int exit_code = 0;
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
