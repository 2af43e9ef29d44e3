#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "common/base/json.h"
#include "relay/admin/export.h"
#include "tests/unit/admin/log_kit.h"
#include "tests/unit/temp_dir.h"

// The program itself, as people and timers run it, against a real TLS server.
namespace tillsyn::admin {
namespace {

std::string read(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

void write(const std::string& file, const std::string& content, mode_t mode = 0600) {
  std::ofstream(file) << content;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

bool exists(const std::string& file) { return ::access(file.c_str(), F_OK) == 0; }

struct Run {
  int code = -1;
  std::string out;
  std::string err;

  bool says(const std::string& text) const { return err.find(text) != std::string::npos; }
};

void shell(const std::string& command) { REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0); }

class Server {
 public:
  Server(const std::string& folder, const std::string& key, const std::string& certificate) {
    int out[2];
    REQUIRE(::pipe(out) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::execlp("python3", "python3", TILLSYN_HTTPS_SERVER, folder.c_str(), key.c_str(), certificate.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::FILE* in = ::fdopen(out[0], "r");
    const int read_ports = std::fscanf(in, "%d", &port_);
    std::fclose(in);
    REQUIRE(read_ports == 1);
  }
  ~Server() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string host() const { return "localhost:" + std::to_string(port_); }

 private:
  pid_t child_ = -1;
  int port_ = 0;
};

struct Bench {
  test::TempDir dir;

  std::string operator/(const std::string& name) const { return dir / name; }

  Run admin(const std::string& arguments) const {
    const std::string command =
        std::string("cd ") + dir.path() + " && " TILLSYN_ADMIN " " + arguments + " >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(dir / "out.txt"), read(dir / "err.txt")};
  }

  void refuses(const std::string& arguments, const std::string& because) const {
    const Run run = admin(arguments);
    INFO(arguments << "\n" << run.err);
    CHECK(run.code == 1);
    CHECK(run.says(because));
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  }

  // name.key and name.pem, for the host `host`, from the authority `ca` (made if it is not there).
  void certificate(const std::string& name, const std::string& ca, const std::string& host) const {
    const std::string in = "cd " + dir.path() + " && ";
    const std::string fresh = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    if (!exists(dir / (ca + ".pem")))
      shell(in + fresh + "-x509 -days 30 -subj /CN=" + ca + " -keyout " + ca + ".key -out " + ca + ".pem");
    shell(in + fresh + "-subj /CN=" + host + " -keyout " + name + ".key -out " + name + ".csr");
    shell(in + "printf subjectAltName=DNS:" + host + " > ext");
    shell(in + "openssl x509 -req -days 30 -extfile ext -CAcreateserial -CA " + ca + ".pem -CAkey " + ca + ".key -in " +
          name + ".csr -out " + name + ".pem");
  }
};

// A municipality on disk: fleet root, root list, bundle key, and a server that is both identity provider and relay.
struct Town : Bench {
  fakes::OrderMaker maker{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
  FakeRelay relay;
  std::unique_ptr<Server> server;

  Town() {
    certificate("town", "ca", "localhost");
    shell("cd " + dir.path() + " && mkdir www app");
    relay.log.add_seen("log_opened", maker.now - std::chrono::hours(1));
    for (const auto& order : maker.staff_grants()) relay.accept(order, maker.now);
    serve("town");
    const Json key = {
        {"format", 1}, {"type", "bundle-key"}, {"seed", to_base64url(fakes::ed25519_key("bundle").seed())}};
    write(dir / "bundle.key", key.dump());
    write(dir / "fleet-root.json", orders::format_fleet_root(maker.fleet_root));
  }

  // (Re)starts the server with that certificate, and writes the root list that names it.
  void serve(const std::string& name) {
    server.reset();
    server = std::make_unique<Server>(dir / "www", dir / (name + ".key"), dir / (name + ".pem"));
    maker.root_list.relays = {{server->host(), read(dir / "ca.pem")}};
    for (auto& issuer : maker.root_list.issuers) {
      issuer.ca = read(dir / "ca.pem");
      issuer.jwks_uri = "https://" + server->host() + "/jwks" + issuer.issuer.substr(10, 1);
    }
    ++maker.root_list.version;
    write(dir / "root-list.json", maker.root_list_envelope());
    show();
  }

  void show() const {
    for (const auto& issuer : maker.issuers)
      write(dir / ("www/jwks" + issuer.url().substr(10, 1)), Json{{"keys", {issuer.jwk()}}}.dump());
    write(dir / "www/v1_session_challenge", Json{{"challenge", to_base64url(fakes::bytes32("challenge"))}}.dump());
    write(dir / "www/v1_session",
          Json{{"token", "t"}, {"expires_at", "2026-11-22T20:15:00Z"}, {"person", nullptr}, {"rights", Json::array()}}
              .dump());
    write(dir / "www/v1_trust_root-list", "{\"taken\":true}");
    write(dir / "www/v1_trust_bundle", "{\"taken\":true}");
    show_log();
  }

  void show_log() const {
    Json items = Json::array();
    for (const auto& handed : relay.handed)
      items.push_back({{"n", items.size() + 1},
                       {"order", *parse_json(handed.order)},
                       {"entry", {{"seq", handed.seq}, {"time", format_instant(handed.time)}}},
                       {"countersign", nullptr},
                       {"receipts", Json::array()}});
    write(dir / "www/v1_orders", Json{{"items", items}, {"next", nullptr}}.dump());
    write(dir / "www/v1_ledger_checkpoint", Json{{"checkpoint", relay.signed_note.value_or(relay.log.note())}}.dump());
    write(dir / "www/v1_ledger_entries", Json{{"items", relay.log.texts}, {"next", nullptr}}.dump());
  }

  std::string documents() const { return "--root-list root-list.json --fleet-root fleet-root.json "; }
  std::string at_relay() const { return "--relay https://" + server->host() + " "; }
  Run make(const std::string& more = {}) const {
    return admin("trust make " + documents() + "--bundle-key bundle.key " + at_relay() + "--out bundle.json " + more);
  }
  std::string verify(const std::string& file, const std::string& more = {}) const {
    return "ledger verify " + documents() + "--provider solna " + more + " " + file;
  }
};

TEST_CASE("keys are made once, for their owner alone, each for its purpose", "[admin]") {
  Bench bench;
  for (const std::string kind : {"root-key", "bundle-key"}) {
    REQUIRE(bench.admin(kind + " new --out " + kind).code == 0);
    struct stat about {};
    REQUIRE(::stat((bench / kind).c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(read(bench / (kind + ".pub")).size() == 44);
    const std::string before = read(bench / kind);
    bench.refuses(kind + " new --out " + kind, "not overwritten");
    CHECK(read(bench / kind) == before);
  }
  bench.refuses("root-key new --out nowhere/key", "cannot write nowhere/key");
  write(bench / "spec", "{}");
  bench.refuses("root make --spec spec --key bundle-key --out list", "is no root-key");
  REQUIRE(::chmod((bench / "root-key").c_str(), 0640) == 0);
  bench.refuses("root make --spec spec --key root-key --out list", "others than its owner may read");
  CHECK_FALSE(exists(bench / "list"));
}

TEST_CASE("a fleet root needs as many different keys as must sign", "[admin]") {
  Bench bench;
  for (const std::string name : {"a", "b"}) REQUIRE(bench.admin("root-key new --out " + name).code == 0);
  CHECK(bench.admin("fleet-root make --threshold 2 --key a.pub --key b.pub --out fleet").code == 0);
  CHECK(orders::parse_fleet_root(read(bench / "fleet")).ok());
  bench.refuses("fleet-root make --threshold 3 --key a.pub --key b.pub --out bad", "no fleet root can be made");
  bench.refuses("fleet-root make --threshold 0 --key a.pub --key b.pub --out bad", "no fleet root can be made");
  bench.refuses("fleet-root make --threshold 1 --key a.pub --key a.pub --out bad", "given twice");
  bench.refuses("fleet-root make --threshold 1 --key a --out bad", "give the .pub file");
  bench.refuses("fleet-root make --threshold 1 --key c.pub --out bad", "there is no file");
  CHECK_FALSE(exists(bench / "bad"));
}

TEST_CASE("the relay's keys are printed the same each time, without the secret part", "[admin]") {
  Bench bench;
  const Run first = bench.admin("relay-keys --store relay --provider nord");
  REQUIRE(first.code == 0);
  const auto printed = parse_json(first.out);
  REQUIRE(printed.ok());
  CHECK(from_base64url_exact<32>((*printed)["ledger_key"].get<std::string>()).ok());
  CHECK_FALSE((*printed)["client_jwks"]["keys"][0].contains("d"));
  CHECK(bench.admin("relay-keys --store relay --provider nord").out == first.out);
  CHECK(bench.admin("relay-keys --store relay --provider syd").out != first.out);
  bench.refuses("relay-keys --store relay --provider ../nord", "a provider is named by");
}

struct RootBench : Bench {
  fakes::OrderMaker maker{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};

  RootBench() {
    for (const std::string name : {"a", "b", "c"}) REQUIRE(admin("root-key new --out " + name).code == 0);
    REQUIRE(admin("fleet-root make --threshold 2 --key a.pub --key b.pub --key c.pub --out fleet").code == 0);
    write_spec([](Json&) {});
  }

  void write_spec(const std::function<void(Json&)>& change) const {
    Json spec = *parse_json(orders::format_root_list(maker.root_list));
    spec.erase("issued_at");
    spec.erase("expires_at");
    change(spec);
    write(*this / "spec", spec.dump(1));
  }
};

TEST_CASE("a root list needs enough different root keys", "[admin]") {
  RootBench bench;
  REQUIRE(bench.admin("root make --spec spec --key a --key c --out list").code == 0);
  const Run told = bench.admin("root check --fleet-root fleet --root-list list");
  CHECK(told.code == 0);
  CHECK(told.out.find("Nothing in it ends within 60 days.") != std::string::npos);
  CHECK(told.out.find("first manager: mia") != std::string::npos);

  REQUIRE(bench.admin("root make --spec spec --key a --out one").code == 0);
  bench.refuses("root check --fleet-root fleet --root-list one", "too few keys");
  bench.refuses("root make --spec spec --key a --key a --out two", "given twice");
  REQUIRE(bench.admin("root-key new --out stranger").code == 0);
  REQUIRE(bench.admin("root make --spec spec --key a --key stranger --out foreign").code == 0);
  bench.refuses("root check --fleet-root fleet --root-list foreign", "too few keys");
}

TEST_CASE("a root list that was touched is none", "[admin]") {
  RootBench bench;
  REQUIRE(bench.admin("root make --spec spec --key a --key b --out list").code == 0);
  std::string text = read(bench / "list");
  text.replace(text.find("mia"), 3, "eva");
  write(bench / "list", text);
  bench.refuses("root check --fleet-root fleet --root-list list", "is no root list under this fleet root");
}

TEST_CASE("a root list is good for at most 400 days, and says what ends within 60", "[admin]") {
  RootBench bench;
  bench.refuses("root make --spec spec --key a --key b --days 401 --out list", "1 to 400 days");
  bench.refuses("root make --spec spec --key a --key b --days 0 --out list", "1 to 400 days");
  CHECK_FALSE(exists(bench / "list"));
  CHECK(bench.admin("root make --spec spec --key a --key b --days 400 --out list").code == 0);

  bench.certificate("town", "old-ca", "localhost");
  bench.write_spec([&](Json& spec) {
    spec["relays"] = {{{"host", "relay.example:443"}, {"ca", read(bench / "old-ca.pem")}}};
  });
  REQUIRE(bench.admin("root make --spec spec --key a --key b --days 59 --out list").code == 0);
  const Run told = bench.admin("root check --fleet-root fleet --root-list list");
  CHECK(told.out.find("the CA certificate 'old-ca' of relay relay.example:443: ends ") != std::string::npos);
  CHECK(told.out.find("the root list itself: ends ") != std::string::npos);
}

TEST_CASE("a spec that is no root list is refused, and nothing is written", "[admin]") {
  RootBench bench;
  const auto refuses = [&](const std::function<void(Json&)>& change, const std::string& because) {
    bench.write_spec(change);
    bench.refuses("root make --spec spec --key a --key b --out list", because);
  };
  refuses([](Json& spec) { spec["expires_at"] = "2030-01-01T00:00:00Z"; }, "expires_at is set here");
  refuses([](Json& spec) { spec.erase("floors"); }, "the spec is no root list");
  refuses([](Json& spec) { spec["more"] = 1; }, "the spec is no root list");
  refuses([](Json& spec) { spec["providers"][0]["issuers"] = {"https://unlisted.example"}; },
          "the spec is no root list");
  refuses(
      [](Json& spec) {
        spec["relays"] = {{{"host", "app.example:443"}, {"ca", nullptr}}};
        spec["providers"][0]["app_origins"] = {"https://app.example"};
      },
      "the spec is no root list");
  refuses([](Json& spec) { spec = Json::array(); }, "it is not an object");
  write(bench / "spec", "{\"format\":1,\"format\":1}");
  bench.refuses("root make --spec spec --key a --key b --out list", "the spec is no root list");
  CHECK_FALSE(exists(bench / "list"));
}

TEST_CASE("a root list that has run out makes no bundle and no export", "[admin]") {
  Town town;
  town.maker.root_list.issued_at = town.maker.now - std::chrono::days(300);
  town.maker.root_list.expires_at = town.maker.now - std::chrono::seconds(1);
  write(town / "root-list.json", town.maker.root_list_envelope());
  const Run made = town.make();
  CHECK(made.code == 1);
  CHECK(made.says("make a new root list"));
  CHECK_FALSE(exists(town / "bundle.json"));
  town.refuses("root check " + town.documents(), "has run out");
  town.refuses(
      "ledger export " + town.documents() + "--bundle-key bundle.key --provider solna " + town.at_relay() + "--out log",
      "ran out");
}

TEST_CASE("a bundle is made over TLS, checked and published", "[admin][AUD-1]") {
  Town town;
  write(town / "yesterday.json", town.maker.bundle_envelope());
  const Run made = town.make("--previous yesterday.json");
  INFO(made.err);
  REQUIRE(made.code == 0);
  CHECK(made.err.empty());
  const Run checked = town.admin("trust check " + town.documents() + "--bundle bundle.json");
  CHECK(checked.code == 0);
  CHECK(checked.out.find("log of " + std::to_string(town.relay.log.texts.size()) + " entries") != std::string::npos);
  REQUIRE(town.make("--previous bundle.json").code == 0);
  CHECK(orders::open_bundle(read(town / "bundle.json"), town.maker.root_list)->version.counter ==
        town.maker.bundle.version.counter + 2);

  REQUIRE(town.admin("trust publish --root-list root-list.json --bundle bundle.json --app-dir app " + town.at_relay())
              .code == 0);
  CHECK(read(town / "app/trust/bundle.json") == read(town / "bundle.json"));
  CHECK(read(town / "app/trust/root-list.json") == read(town / "root-list.json"));
  town.refuses("trust publish --root-list root-list.json --bundle bundle.json --app-dir mistyped " + town.at_relay(),
               "there is no folder mistyped");
  town.refuses(
      "trust publish --root-list root-list.json --bundle bundle.json --app-dir app --relay https://elsewhere.example",
      "names no relay");
}

TEST_CASE("a document whose answer was lost is handed in again under the same key", "[admin][INT-1]") {
  Town town;
  REQUIRE(town.make().code == 0);
  const std::string publish =
      "trust publish --root-list root-list.json --bundle bundle.json --app-dir app " + town.at_relay();
  const auto writes = [&] {
    std::istringstream asked(read(town / "www/asked"));
    std::vector<std::string> out;
    for (std::string line; std::getline(asked, line);)
      if (line.starts_with("PUT ")) out.push_back(line);
    return out;
  };
  write(town / "www/lose", "");
  const Run run = town.admin(publish);
  INFO(run.err);
  REQUIRE(run.code == 0);
  const auto first = writes();
  REQUIRE(first.size() == 3);
  CHECK(first[0] == first[1]);
  CHECK(first[0].starts_with("PUT /v1/trust/root-list "));
  CHECK(first[2].starts_with("PUT /v1/trust/bundle "));
  CHECK(first[0].substr(24).size() == 43);
  CHECK(first[2].substr(21) != first[0].substr(24));
  REQUIRE(town.admin(publish).code == 0);  // the command once more: the same documents, the same keys
  CHECK(writes()[3] == first[0]);
  CHECK(writes()[4] == first[2]);
}

TEST_CASE("what the relay does not take is not laid on the app's origin", "[admin]") {
  Town town;
  REQUIRE(town.make().code == 0);
  REQUIRE(::unlink((town / "www/v1_trust_bundle").c_str()) == 0);
  town.refuses("trust publish --root-list root-list.json --bundle bundle.json --app-dir app " + town.at_relay(),
               "answered PUT /v1/trust/bundle with 404");
  CHECK_FALSE(exists(town / "app/trust/root-list.json"));
}

TEST_CASE("a server with a wrong certificate is asked nothing; its last good entries are kept", "[admin][IAM-1]") {
  Town town;
  REQUIRE(town.make().code == 0);
  const auto before = *orders::open_bundle(read(town / "bundle.json"), town.maker.root_list);
  town.certificate("stranger", "other-ca", "localhost");
  town.certificate("misnamed", "ca", "elsewhere.example");
  for (const std::string name : {"stranger", "misnamed"}) {
    town.serve(name);
    const Run made = town.make("--previous bundle.json");
    INFO(made.err);
    CHECK(made.code == 0);
    CHECK(made.says("does not show a certificate that is trusted"));
    CHECK(made.says("its last good keys are kept"));
    CHECK(made.says("is kept until"));
    const auto after = orders::open_bundle(read(town / "bundle.json"), town.maker.root_list);
    REQUIRE(after.ok());
    CHECK(after->providers[0].checkpoint == before.providers[0].checkpoint);
    const std::string url = town.maker.issuers[0].url();
    REQUIRE(after->key(url, town.maker.issuers[0].kid()) != nullptr);
    CHECK(after->key(url, town.maker.issuers[0].kid())->not_before ==
          before.key(url, town.maker.issuers[0].kid())->not_before);
    town.refuses("ledger export " + town.documents() + "--bundle-key bundle.key --provider solna " + town.at_relay() +
                     "--out log",
                 "does not show a certificate that is trusted");
  }
  CHECK_FALSE(exists(town / "log"));
}

TEST_CASE("a bundle that cannot be made leaves the one there is", "[admin]") {
  Town town;
  REQUIRE(town.make().code == 0);
  const std::string before = read(town / "bundle.json");
  const std::string make = "trust make " + town.documents() + town.at_relay() + "--out bundle.json ";
  write(town / "foreign", orders::format_trust_envelope({orders::format_bundle(town.maker.bundle), {}}));
  town.refuses(make + "--bundle-key bundle.key --previous foreign", "is no bundle under this root list");
  town.refuses(make + "--bundle-key bundle.key --previous nowhere", "there is no file nowhere");
  REQUIRE(town.admin("bundle-key new --out stranger").code == 0);
  town.refuses(make + "--bundle-key stranger --previous bundle.json", "does not name this bundle key");
  town.refuses(
      "trust make " + town.documents() + "--relay https://other.example --bundle-key bundle.key --out bundle.json",
      "names no relay");
  write(town / "bundle.json.replays", "{");
  town.refuses(make + "--bundle-key bundle.key --previous bundle.json", "bundle.json.replays is damaged");
  CHECK(read(town / "bundle.json") == before);
}

TEST_CASE("a previous bundle made under a newer root list is not followed", "[admin]") {
  Town town;
  town.maker.bundle.version = {town.maker.root_list.version + 1, 5};
  write(town / "newer", town.maker.bundle_envelope());
  town.refuses(
      "trust make " + town.documents() + town.at_relay() + "--bundle-key bundle.key --previous newer --out bundle.json",
      "is no bundle under this root list");
}

TEST_CASE("an export is taken out, verified offline and shown", "[admin][AUD-2]") {
  Town town;
  const std::string take =
      "ledger export " + town.documents() + "--bundle-key bundle.key --provider solna " + town.at_relay() + "--out ";
  REQUIRE(town.admin(take + "log").code == 0);
  REQUIRE(town.make().code == 0);
  town.relay.log.add_seen("login", town.maker.now);
  town.show_log();
  REQUIRE(town.admin(take + "later").code == 0);
  town.server.reset();

  CHECK(town.admin(town.verify("log")).code == 0);
  CHECK(town.admin(town.verify("later", "--earlier log")).code == 0);
  CHECK(town.admin(town.verify("later", "--earlier bundle.json")).out.find("continuing the") != std::string::npos);
  town.refuses(town.verify("log", "--earlier later"), "dropped");
  const Run shown = town.admin("ledger show later");
  CHECK(shown.code == 0);
  CHECK(shown.out.find("log_opened") != std::string::npos);
  CHECK(shown.out.find("order grant") != std::string::npos);
  CHECK(static_cast<std::size_t>(std::count(shown.out.begin(), shown.out.end(), '\n')) ==
        town.relay.log.texts.size() + 1);

  std::string text = read(town / "log");
  text.replace(text.find("mia"), 3, "eva");
  write(town / "bad", text);
  town.refuses(town.verify("bad"), "at least one was altered");
  town.refuses(town.verify("bad", "--earlier log"), "is altered (who)");
  town.refuses(town.verify("log", "--earlier bad"), "cannot vouch");
  town.refuses(town.verify("nowhere"), "there is no file");
  town.refuses("ledger verify " + town.documents() + "--provider nord log", "names no provider nord; it names solna");
  town.refuses("ledger show root-list.json", "cut off");
}

TEST_CASE("a relay's log that does not verify is kept as evidence, and said", "[admin][AUD-1]") {
  Town town;
  const std::string note = town.relay.log.note();
  town.relay.log.texts.back() = town.relay.log.texts[1];
  town.relay.signed_note = note;
  town.show_log();
  town.refuses(
      "ledger export " + town.documents() + "--bundle-key bundle.key --provider solna " + town.at_relay() + "--out log",
      "was written, but the log in it does not verify");
  CHECK(exists(town / "log"));
  const Run made = town.make();
  CHECK(made.code == 0);
  CHECK(made.says("does not replay"));
}

}  // namespace
}  // namespace tillsyn::admin
