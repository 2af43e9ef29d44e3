#include "firmware/gate/view_judge.h"

#include "common/orders/bindings.h"

namespace tillsyn::gate {
namespace {

JudgedView closed(const Error& error) {
  JudgedView judged;
  judged.opening.reason = orders::verdict_of(error).reason;
  return judged;
}

// PROTOCOL's replay key is (iss, nonce, id), never token bytes: iss and nonce are the signer's issuer and key binding,
// which the judge has found equal to the token's.
std::string act_name(const orders::Order& order) {
  const auto& signature = order.signatures.front();
  return order.payload.common.signers.front().person.issuer + '\n' +
         orders::staff_nonce(signature.key.thumbprint(), signature.salt) + '\n' + order.payload.common.id;
}

Result<void> as_result(const orders::Verdict& verdict) {
  if (verdict.accepted()) return {};
  return refused(verdict.reason, verdict.sentence);
}

}  // namespace

Result<void> ViewJudge::check_order(const orders::Order& order, const Standing& standing,
                                    const board::ClockReading& clock) const {
  const auto* view = std::get_if<orders::View>(&order.payload.body);
  if (view == nullptr) return orders::refuse("type_not_supported");
  if (!clock.is_trusted()) return orders::refuse("clock_untrusted");
  if (standing.root_list == nullptr || standing.bundle == nullptr) return orders::refuse("bundle_missing");
  if (view->hub != standing.hub) return orders::refuse("wrong_hub");
  const orders::Order* assignment = standing.book.at("assignment", standing.hub);
  if (assignment == nullptr || standing.book.assignment_of(standing.hub) == nullptr)
    return orders::refuse("no_assignment");
  return as_result(standing.book.judge_and_check(order, assignment->payload.common.provider, *standing.root_list,
                                                 *standing.bundle, clock.utc));
}

Result<JudgedView> ViewJudge::judge(const Offer& offer, const orders::Order& order, const Standing& standing,
                                    Challenges& challenges, const board::ClockReading& clock,
                                    std::chrono::milliseconds boot, bool is_somebody_here) {
  if (const auto checked = check_order(order, standing, clock); !checked) return closed(checked.error());
  const auto& view = std::get<orders::View>(order.payload.body);
  if (const auto fresh = challenges.use(view.challenge, act_name(order), boot); !fresh) return closed(fresh.error());
  TILLSYN_TRY(judged, check_history(offer, order, view, standing));
  if (!judged.opening.is_open()) return judged;
  const orders::Person& person = order.payload.common.signers.front().person;
  if (!view.is_test) {
    judged.opening = judge_viewer(standing, clock, person, view.group);
  } else if (is_somebody_here) {
    judged.opening = judge_tester(standing, clock, person, view.group);
  } else {
    judged.opening.reason = "no_presence";
  }
  return judged;
}

Result<JudgedView> ViewJudge::check_history(const Offer& offer, const orders::Order& order, const orders::View& view,
                                            const Standing& standing) {
  const orders::Provider* provider = standing.root_list->provider(order.payload.common.provider);
  if (provider == nullptr) return closed(orders::refuse("wrong_provider"));
  const orders::ProviderState* state = standing.bundle->provider(provider->id);
  const std::int64_t epoch = state == nullptr ? 1 : state->epoch;
  TILLSYN_TRY(held, store_.checkpoint(epoch));
  const auto log = check_log(offer, order, view, *provider, *standing.bundle, held);
  if (!log) return closed(log.error());
  TILLSYN_TRY(known, store_.knows_head(view.head));
  JudgedView judged;
  if (!known) judged = closed(orders::refuse("unknown_head"));
  judged.log_seen = *log;
  judged.epoch = epoch;
  return judged;
}

}  // namespace tillsyn::gate
