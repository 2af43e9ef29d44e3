#include "relay/admin/order_counts.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/orders/device_documents.h"

namespace tillsyn::admin {
namespace {

using orders::Order;
using orders::Verdict;

struct Pending {
  Order order;
  const HandedOrder* handed;
};

bool lies_in(const Replay& log, const Order& order, const HandedOrder& handed) {
  const auto entry = ledger::entry_for_order(order.payload_text, handed.seq, handed.time);
  return entry && ledger::entry_leaf(*entry) == log.leaves()[handed.seq];
}

std::string named(const Order& order) {
  return "the " + std::string(orders::type_name(order.payload.body)) + " order " + to_base64url(order.hash);
}

class Judging {
 public:
  Judging(const Replay& log, const orders::Provider& provider, const orders::RootList& list,
          const orders::Bundle& bundle, Report& report)
      : log_(log), provider_(provider), list_(list), bundle_(bundle), report_(report) {}

  void take(const HandedOrder& handed) {
    if (handed.seq >= log_.size()) return;
    auto order = orders::parse_order(handed.order);
    if (!order) return alarm("the relay hands out an order that cannot be read (" + order.error().message + ")");
    if (!lies_in(log_, *order, handed))
      return alarm("the relay hands out " + named(*order) + " that is not in the log");
    seen_.insert(order->hash);
    if (orders::is_standing(order->payload.body)) pending_.push_back({std::move(*order), &handed});
  }

  // Orders may stand on later ones of their own minute: judged until nothing more changes.
  void settle() {
    std::sort(pending_.begin(), pending_.end(),
              [](const Pending& a, const Pending& b) { return a.handed->seq < b.handed->seq; });
    for (bool progress = true; progress;) {
      const std::size_t before = pending_.size();
      std::erase_if(pending_, [this](const Pending& pending) { return settled(pending); });
      progress = pending_.size() < before;
    }
    for (const Pending& left : pending_) alarm(named(left.order) + " lacks what it stands on, and counts nothing");
  }

  void look_for_withheld() {
    for (const ledger::Entry& entry : log_.orders())
      if (is_standing_type(entry.what) && entry.hash && !seen_.contains(*entry.hash))
        alarm("the relay keeps back the " + entry.what + " order " + to_base64url(*entry.hash) + " of log entry " +
              std::to_string(entry.seq));
  }

  orders::OrderBook book() && { return std::move(book_); }

 private:
  bool settled(const Pending& pending) {
    const Verdict verdict = book_.judge_and_check(pending.order, provider_.id, list_, bundle_, pending.handed->time);
    if (verdict.kind == Verdict::Kind::kWaiting) return false;
    if (!verdict.accepted()) {
      alarm(named(pending.order) + " does not hold: " + verdict.reason);
      return true;
    }
    book_.put(pending.order);
    if (pending.handed->countersign) countersign(pending);
    return true;
  }

  void countersign(const Pending& pending) {
    const auto* hub = orders::hub_of(pending.order.payload.body);
    const Order* device_order = hub == nullptr ? nullptr : book_.at("device", *hub);
    if (device_order == nullptr) return;
    const auto* device = std::get_if<orders::Device>(&device_order->payload.body);
    if (device == nullptr) return;
    const auto payload =
        orders::open(orders::DeviceKind::kCountersign, *pending.handed->countersign, device->device_key);
    const auto signed_by_hub =
        payload ? orders::parse_countersign(*payload) : Result<orders::Countersign>(payload.error());
    if (!signed_by_hub || signed_by_hub->hub != *hub || signed_by_hub->order != pending.order.hash)
      return alarm(named(pending.order) + " bears a countersign that its hub has not made");
    book_.countersigned(pending.order.hash);
  }

  static bool is_standing_type(std::string_view type) {
    static const std::set<std::string_view> kTypes = {"grant",   "revoke",   "device", "assignment", "acceptance",
                                                      "consent", "schedule", "pause",  "resume",     "release"};
    return kTypes.contains(type);
  }

  void alarm(const std::string& what) { report_.alarms.push_back(provider_.id + ": " + what); }

  const Replay& log_;
  const orders::Provider& provider_;
  const orders::RootList& list_;
  const orders::Bundle& bundle_;
  Report& report_;
  std::vector<Pending> pending_;
  std::set<orders::Hash> seen_;
  orders::OrderBook book_;
};

}  // namespace

orders::OrderBook judge_orders(const std::vector<HandedOrder>& handed, const Replay& log,
                               const orders::Provider& provider, const orders::RootList& list,
                               const orders::Bundle& bundle, Report& report) {
  Judging judging(log, provider, list, bundle, report);
  for (const HandedOrder& order : handed) judging.take(order);
  judging.settle();
  judging.look_for_withheld();
  return std::move(judging).book();
}

std::vector<orders::HomeLeaf> homes_of(const orders::OrderBook& book, const orders::Bundle& bundle) {
  auto homes = book.homes();
  std::erase_if(homes, [&](const orders::HomeLeaf& home) { return bundle.is_hub_revoked(home.hub); });
  return homes;
}

void count_homes(const std::vector<orders::HomeLeaf>& homes, orders::ProviderState& state) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& home : homes) ++counts[home.group];
  state.hubs.clear();
  for (const auto& [group, count] : counts) state.hubs.push_back({group, count});
  state.homes_root = orders::homes_root(homes);
}

std::string homes_file_name(const orders::Hash& root) { return "homes-" + to_base64url(root) + ".json"; }

std::string homes_file_text(const std::vector<orders::HomeLeaf>& homes) {
  std::string out = "[";
  for (const auto& text : orders::home_texts(homes)) out += (out.size() > 1 ? "," : "") + text;
  return out + "]";
}

}  // namespace tillsyn::admin
