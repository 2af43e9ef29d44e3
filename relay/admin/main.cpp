#include <cstdio>

#include "relay/admin/commands.h"

int main(int argc, char** argv) {
  using namespace tillsyn::admin;
  CLI::App app("The municipality's command line: keys, trust, the log", "tillsyn-admin");
  app.require_subcommand(1);
  Action chosen;
  add_keys(app, chosen);
  add_fleet_root(app, chosen);
  add_root(app, chosen);
  add_trust(app, chosen);
  add_ledger(app, chosen);
  CLI11_PARSE(app, argc, argv);
  const auto done = chosen();
  if (done) return 0;
  std::fprintf(stderr, "tillsyn-admin: %s\n", done.error().message.c_str());
  return 1;
}
