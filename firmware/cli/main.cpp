#include "firmware/cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("The hub's command line", "tillsyn-hub");
  app.require_subcommand(1);
  int exit_code = 0;
  tillsyn::cli::add_windows(app, exit_code);
  tillsyn::cli::add_label(app, exit_code);
  tillsyn::cli::add_enrol(app, exit_code);
  tillsyn::cli::add_status(app, exit_code);
  tillsyn::cli::add_selftest(app, exit_code);
  tillsyn::cli::add_wipe(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
