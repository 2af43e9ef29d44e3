#include "firmware/gate/check.h"

#include <algorithm>

#include "common/base/json.h"
#include "common/civil/windows.h"

namespace tillsyn::gate {
namespace {

Json time_or_null(const std::optional<Instant>& time) { return time ? Json(format_instant(*time)) : Json(); }
Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json cameras_json(const CheckFacts& facts) {
  Json out = Json::array();
  const orders::Assignment* assignment = facts.desk.assignment();
  for (const std::string& id : facts.hardware.camera_ids()) {
    Json camera = {{"id", id}, {"identifier", nullptr}, {"there", facts.hardware.has_camera(id)}};
    for (const auto& assigned : assignment == nullptr ? std::vector<orders::AssignedCamera>() : assignment->cameras)
      if (assigned.id == id) camera["identifier"] = assigned.identifier;
    out.push_back(std::move(camera));
  }
  return out;
}

const char* light_word(const Hardware& hardware) {
  const auto lit = hardware.is_light_lit();
  if (!lit) return "fault";
  if (!*lit) return "none";
  return **lit ? "lit" : "dark";
}

Json view_json(const std::optional<orders::Event>& event) {
  if (!event) return nullptr;
  return {{"kind", event->kind},
          {"time", format_instant(event->time)},
          {"camera", text_or_null(event->camera)},
          {"reason", text_or_null(event->reason)}};
}

void add_trust(Json& out, const Trust& trust) {
  const orders::RootList* list = trust.root_list();
  const orders::Bundle* bundle = trust.bundle();
  out["root_list"] =
      list == nullptr ? Json() : Json{{"version", list->version}, {"expires_at", format_instant(list->expires_at)}};
  out["bundle"] = bundle == nullptr ? Json()
                                    : Json{{"counter", bundle->version.counter},
                                           {"issued_at", format_instant(bundle->issued_at)},
                                           {"expires_at", format_instant(bundle->expires_at)}};
}

void add_opening(Json& out, const CheckFacts& facts) {
  const Opening opening = judge_opening(facts.desk.standing(), facts.clock);
  out["open"] = opening.is_open();
  out["reason"] = opening.is_open() ? Json() : Json(opening.reason);
  out["until"] = opening.is_open() ? Json(format_instant(opening.until)) : Json();
  out["next"] = time_or_null(opening.next);
}

}  // namespace

std::string check_text(const CheckFacts& facts) {
  const orders::Assignment* assignment = facts.desk.assignment();
  const auto free = facts.hardware.free_bytes();
  Json out = {{"time", format_instant(facts.clock.utc)},
              {"clock", board::clock_state_name(facts.clock.state)},
              {"state", facts.desk.state()},
              {"resident", assignment == nullptr ? Json() : Json(assignment->resident)},
              {"cameras", cameras_json(facts)},
              {"light", light_word(facts.hardware)},
              {"light_tried", facts.light_tried ? Json(*facts.light_tried) : Json()},
              {"button", facts.hardware.has_button()},
              {"button_held_at", facts.last_hold ? Json(format_instant(facts.last_hold->time)) : Json()},
              {"last_view", view_json(facts.last_view)},
              {"free_bytes", free ? Json(*free) : Json()},
              {"faults", facts.faults}};
  add_trust(out, facts.trust);
  add_opening(out, facts);
  return canonical_json(out);
}

}  // namespace tillsyn::gate
