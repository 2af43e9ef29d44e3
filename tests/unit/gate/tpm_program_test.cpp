// The real gate, confined as ever, and its key in a TPM.
#include <thread>

#include "tests/unit/board/soft_tpm.h"
#include "tests/unit/gate/program_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using ipc::MessageType;

namespace {

struct TpmHub {
  orders::LinkKey signed_by(Link& link) {
    link.send(MessageType::kLinkKey, fakes::p256_key("link").public_key().point());
    return must(orders::open_link_key(text_of(link.await(MessageType::kLinkKeyEnvelope))));
  }

  board_test::SoftTpm tpm;
  const std::string name = must(tpm.place().open())->hub();
  fakes::OrderMaker maker{*parse_instant("2026-11-22T20:15:00Z")};
  Programs programs{maker.fleet_root, 0ms, {}, {{"key", {{"kind", "tpm"}, {"tcti", tpm.tcti()}}}}};
};

}  // namespace

TEST_CASE("a confined gate signs with the key in its TPM, and has none on its disk", "[gate][program][tpm][INS-2]") {
  TpmHub hub;
  Link link(hub.programs);
  CHECK(link.hub == hub.name);
  CHECK(hub.signed_by(link).device_key.thumbprint_text() == hub.name);
  CHECK_FALSE(*board::FileKeyPlace(hub.programs.folder.path() + "/state").has_key());
}

TEST_CASE("a gate whose TPM goes away begins anew until it is back, by the same name", "[gate][program][tpm][ENF-8]") {
  TpmHub hub;
  {
    Link link(hub.programs);
    hub.tpm.stop();
    const pid_t gate = hub.programs.gate_process();
    link.send(MessageType::kOrder, hub.maker.staff_grants().front().text);  // an event about it must be signed
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (hub.programs.gate_process() == gate) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::sleep_for(5ms);
    }
  }
  hub.tpm.start();
  Link link(hub.programs);
  CHECK(link.hub == hub.name);
  CHECK(hub.signed_by(link).device_key.thumbprint_text() == hub.name);
}
