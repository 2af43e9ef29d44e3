#include <algorithm>

#include "common/crypto/hash.h"
#include "common/orders/bindings.h"
#include "common/orders/order_book.h"

namespace tillsyn::orders {
namespace {

template <typename... T>
struct Overloaded : T... {
  using T::operator()...;
};
template <typename... T>
Overloaded(T...) -> Overloaded<T...>;  // clang 14 does not find it by itself

// The orders that a type builds on, besides its signers' grants.
std::vector<Slot> foundations(const Body& body) {
  return std::visit(Overloaded{
                        [](const Assignment& order) -> std::vector<Slot> {
                          return {{"device", order.hub}};
                        },
                        [](const Acceptance& order) -> std::vector<Slot> {
                          return {{"assignment", order.hub}};
                        },
                        [](const ScheduleOrder& order) -> std::vector<Slot> {
                          return {{"consent", order.resident}};
                        },
                        [](const Outcome& order) -> std::vector<Slot> {
                          return {{"consent", order.resident}};
                        },
                        [](const View& order) -> std::vector<Slot> {
                          return {{"device", order.hub},       {"assignment", order.hub},    {"acceptance", order.hub},
                                  {"consent", order.resident}, {"schedule", order.resident}, {"pause", order.resident}};
                        },
                        [](const auto&) -> std::vector<Slot> { return {}; },
                    },
                    body);
}

}  // namespace

std::optional<Slot> slot_of(const Body& body) {
  return std::visit(Overloaded{
                        [](const Grant& order) -> std::optional<Slot> {
                          return Slot{person_slot(order.person), ""};
                        },
                        [](const Revoke& order) -> std::optional<Slot> {
                          return Slot{person_slot(order.person), ""};
                        },
                        [](const Device& order) -> std::optional<Slot> {
                          return Slot{"device", order.hub};
                        },
                        [](const Assignment& order) -> std::optional<Slot> {
                          return Slot{"assignment", order.hub};
                        },
                        [](const Release& order) -> std::optional<Slot> {
                          return Slot{"assignment", order.hub};
                        },
                        [](const Acceptance& order) -> std::optional<Slot> {
                          return Slot{"acceptance", order.hub};
                        },
                        [](const Consent& order) -> std::optional<Slot> {
                          return Slot{"consent", order.resident};
                        },
                        [](const ScheduleOrder& order) -> std::optional<Slot> {
                          return Slot{"schedule", order.resident};
                        },
                        [](const Pause& order) -> std::optional<Slot> {
                          return Slot{"pause", order.resident};
                        },
                        [](const Resume& order) -> std::optional<Slot> {
                          return Slot{"pause", order.resident};
                        },
                        [](const View&) -> std::optional<Slot> { return std::nullopt; },
                        [](const Outcome&) -> std::optional<Slot> { return std::nullopt; },
                    },
                    body);
}

std::vector<Slot> dependencies(const Order& order) {
  std::vector<Slot> out;
  for (const Signer& signer : order.payload.common.signers) out.push_back({person_slot(signer.person), ""});
  for (Slot& slot : foundations(order.payload.body)) out.push_back(std::move(slot));
  const auto own = slot_of(order.payload.body);
  if (own) std::erase(out, *own);
  return out;
}

Hash head_of(const std::vector<SlotEntry>& entries) {
  Bytes body;
  for (const SlotEntry& entry : entries) {
    append(body, view_of(entry.slot));
    body.push_back(0);
    append_u64(body, static_cast<std::uint64_t>(entry.version));
    append(body, entry.order);
  }
  return crypto::sha256(body);
}

}  // namespace tillsyn::orders
