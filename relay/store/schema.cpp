#include "relay/store/schema.h"

namespace tillsyn::store {
namespace {

// Hashes, keys and sealed data are base64url text; times are UTC milliseconds (`_ms`) or as they are signed.
constexpr Migration kProvider[] = {
    R"sql(
create table entries (seq bigint primary key, hash text, text text not null);
create index entries_by_hash on entries (hash);
create table nodes (level bigint not null, position bigint not null, hash text not null, primary key (level, position));
create table entry_details (seq bigint primary key, salt text not null, details text not null);

create table orders (n bigint primary key, hash text not null unique, type text not null, slot text, owner text,
  version bigint, replaces text, resident text, hub text, body text not null, seq bigint not null, time text not null,
  posted_ms bigint not null);
create index orders_by_slot on orders (slot, owner, version);
create index orders_by_type on orders (type);
create table notes (order_hash text primary key, resident text not null, sealed text not null);
create table drafts (id text primary key, hash text not null, body text not null, made_by text not null,
  expires_ms bigint not null);

create table documents (hash text primary key, kind text not null, what text not null, hub text not null, order_hash text,
  position bigint, body text not null, seq bigint not null);
create index documents_by_order on documents (order_hash, kind);
create index documents_by_hub on documents (hub, kind, position);

create table resident_keys (resident text primary key, wrapped text not null);
create table residents (resident text primary key, unit text not null, sealed text not null)
)sql",
    R"sql(
create table evaluations (n bigint primary key, at_ms bigint not null);
create table losses (n bigint primary key, hub text not null, lost_ms bigint not null, back_ms bigint, event text,
  is_told bigint not null);
create unique index open_losses on losses (hub) where back_ms is null;
create table area_losses (id text primary key, area text, lost_ms bigint not null, back_ms bigint);
create table alarms (id text primary key, subject text not null, kind text not null, unit text, resident text, hub text,
  window_id text, window_date text, order_hash text, reason text, since_ms bigint not null, raised_ms bigint not null,
  level bigint not null, taken_ms bigint, taken_issuer text, taken_person text, cleared_ms bigint);
create unique index open_alarms on alarms (subject) where cleared_ms is null;
create index alarms_by_raised on alarms (raised_ms);
create table maintenance (id text primary key, from_ms bigint not null, to_ms bigint not null, reason text not null,
  issuer text not null, person text not null, planned_ms bigint not null, cancelled_ms bigint);
create table integrations (id text primary key, url text not null, ca text, sealed text not null, made_ms bigint not null,
  ended_ms bigint);
create table deliveries (n bigint primary key, id text not null unique, integration text not null, body text not null, made_ms bigint not null,
  tries bigint not null, next_ms bigint not null, done_ms bigint, dead_ms bigint, answer text);
create index deliveries_by_next on deliveries (next_ms) where done_ms is null and dead_ms is null
)sql",
    "create index documents_by_what on documents (what, seq)",
    R"sql(
create table answers (issuer text not null, person text not null, route text not null, key text not null,
  digest text not null, sealed text not null, made_ms bigint not null, primary key (issuer, person, route, key));
create index answers_by_age on answers (made_ms)
)sql",
    // Asked for every hub at each poll and each evaluation.
    R"sql(
create index orders_by_hub on orders (hub, type, posted_ms);
create index orders_by_resident on orders (resident, posted_ms);
create index losses_by_hub on losses (hub, lost_ms)
)sql",
    R"sql(
create table settings (name text primary key, value text not null);
create table protected_residents (resident text primary key, since_ms bigint not null)
)sql",
};

constexpr Migration kShared[] = {
    R"sql(
create table trust (kind text primary key, body text not null, taken_ms bigint not null);
create table enrolment_codes (hub text primary key, provider text not null, code_hash text not null,
  expires_ms bigint not null, tries bigint not null);
create table links (hub text primary key, provider text not null, device_key text not null, link_key text not null unique,
  n bigint not null)
)sql",
};

}  // namespace

std::span<const Migration> provider_schema() { return kProvider; }
std::span<const Migration> shared_schema() { return kShared; }

}  // namespace tillsyn::store
