#include "tests/unit/gate/rig.h"

#include <spdlog/spdlog.h>

#include <cstdlib>

#include "common/ledger/entry.h"
#include "common/ledger/proof.h"

namespace tillsyn::gate_test {
namespace {

Json proof_json(const ledger::Proof& proof) {
  Json json = Json::array();
  for (const auto& hash : proof) json.push_back(to_base64url(hash));
  return json;
}

// What the inside would say of itself drowns what the tests say.
[[maybe_unused]] const bool kQuiet = (spdlog::set_level(spdlog::level::off), true);

std::string payload_of(const std::string& envelope) { return Json::parse(envelope).at("payload").get<std::string>(); }

}  // namespace

Folder::Folder() {
  // In memory where that is possible: what is tested is what is written, not how fast the disk is.
  const std::filesystem::path memory = "/dev/shm";
  const auto base = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  std::string name = base / "tillsyn-gate-XXXXXX";
  path_ = mkdtemp(name.data());
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

void RelayLog::grow(int entries) {
  for (int i = 0; i < entries; ++i) {
    ledger::Entry entry;
    entry.seq = tree.size();
    entry.time = maker_.now;
    entry.kind = ledger::EntryKind::kRelay;
    entry.what = "login";
    entry.provider = fakes::OrderMaker::kProvider;
    entry.reason = std::to_string(grown_++);
    tree.append(ledger::entry_leaf(entry));
  }
}

std::uint64_t RelayLog::enter(const orders::Order& order) {
  const std::uint64_t seq = tree.size();
  tree.append(ledger::entry_leaf(must(ledger::entry_for_order(order.payload_text, seq, maker_.now))));
  return seq;
}

ledger::Checkpoint RelayLog::checkpoint() const {
  return {maker_.root_list.providers[0].ledger_key.name, tree.size(), tree.root()};
}

std::string RelayLog::note() const { return must(ledger::sign_checkpoint(checkpoint(), fakes::ed25519_key("ledger"))); }

Json RelayLog::offer(const orders::Order& order, std::uint64_t seq, const orders::LogPoint& hub,
                     const orders::LogPoint& bundle) const {
  const auto grown = [&](const orders::LogPoint& from) {
    return from.size == 0 ? Json::array() : proof_json(must(ledger::consistency_proof(tree, from.size, tree.size())));
  };
  const auto& view = std::get<orders::View>(order.payload.body);
  return {{"order", Json::parse(order.text)},
          {"seq", seq},
          {"time", format_instant(maker_.now)},
          {"checkpoint", note()},
          {"inclusion", proof_json(must(ledger::inclusion_proof(tree, seq, tree.size())))},
          {"consistency", {{"hub", grown(hub)}, {"viewer", grown(view.checkpoint)}, {"bundle", grown(bundle)}}}};
}

HubInside::HubInside(Instant now) : maker(std::chrono::floor<std::chrono::seconds>(now)), log(maker) {
  keys = must(board::FileKeyPlace(folder.path()).open());
  auto source = std::make_unique<HandClock>(maker.now);
  hand = source.get();
  clock = std::make_unique<board::Clock>(std::move(source), Instant());
  home.hub = keys->hub();
  reopen();
}

void HubInside::reopen() {
  inside.reset();
  inside = must(gate::Home::open({folder.path() + "/gate.db", maker.fleet_root, {}}, *keys));
}

void HubInside::pass(std::chrono::milliseconds time) {
  hand->now.utc += time;
  hand->now.mono += time;
  boot += time;
}

void HubInside::settle(std::chrono::minutes window) {
  must(inside->trust.take_root_list(maker.root_list_envelope(), read()));
  must(inside->trust.take_bundle(maker.bundle_envelope(), read()));
  for (const auto& grant : maker.staff_grants()) REQUIRE(take(grant) == "accepted");
  home_orders = maker.home_orders(home, keys->device_key());
  const auto carin = maker.login("carin", orders::Role::kCareManager);
  const auto carl = maker.login("carl", orders::Role::kCareManager);
  const auto pia = maker.login("pia", orders::Role::kPlanner);
  const auto per = maker.login("per", orders::Role::kPlanner);
  home_orders[3] = maker.order(maker.wide_consent(home), {&carin, &carl});
  home_orders[4] = maker.order(maker.open_schedule(home, window), {&pia, &per});
  inside->desk.presence().held(boot);
  for (const auto& order : home_orders) REQUIRE(take(order) == "accepted");
}

std::string HubInside::take(const orders::Order& order) { return take(order.text); }

std::string HubInside::take(const std::string& text) {
  said = must(inside->desk.take(text, read(), boot));
  const auto asked = orders::order_hash_in(text);
  for (const auto& document : said) {
    if (document.type != ipc::MessageType::kReceipt) continue;
    const auto receipt = must(orders::parse_receipt(payload_of(document.text)));
    if (!asked || receipt.order != *asked) continue;
    return orders::verdict_name(receipt.verdict) + (receipt.reason ? ' ' + *receipt.reason : std::string());
  }
  return "nothing";
}

std::vector<orders::Event> HubInside::events() {
  std::vector<orders::Event> events;
  for (const auto& stored : must(inside->store.events_after(0, 1000)))
    events.push_back(must(orders::parse_event(payload_of(stored.envelope))));
  return events;
}

std::vector<std::string> HubInside::event_kinds() {
  std::vector<std::string> kinds;
  for (const auto& event : events()) kinds.push_back(event.kind);
  return kinds;
}

}  // namespace tillsyn::gate_test
