#include "common/ledger/checkpoint.h"
#include "common/ledger/entry.h"
#include "common/ledger/note.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {
namespace {

std::string written(const ledger::Note& note) {
  std::string out = note.text + "\n";
  for (const auto& signature : note.signatures) {
    Bytes bytes;
    append_u32(bytes, signature.key_id);
    append(bytes, signature.signature);
    out += "\u2014 " + signature.name + " " + to_base64(bytes) + "\n";
  }
  return out;
}

}  // namespace

bool note(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = ledger::parse_note(text);
  if (!value) return false;
  must(written(*value) == text, "a note has one spelling");
  return true;
}

bool checkpoint(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = ledger::parse_checkpoint(text);
  if (!value) return false;
  must(ledger::format_checkpoint(*value) == text, "a checkpoint has one spelling");
  return true;
}

bool vkey(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = ledger::parse_vkey(text);
  if (!value) return false;
  must(ledger::format_vkey(*value) == text, "a verifier key has one spelling");
  return true;
}

// An entry as the ledger holds it; and, of the same bytes, what entry an order with this payload would have.
bool entry(ByteView bytes) {
  const std::string text = text_of(bytes);
  if (const auto of_order = ledger::entry_for_order(text, 7, Instant{})) {
    const std::string line = ledger::format_entry(*of_order);
    must(line.size() > ledger::kMaxEntryBytes || *ledger::parse_entry(line) == *of_order, "an order's entry reads back");
  }
  const auto value = ledger::parse_entry(text);
  if (!value) return false;
  must(ledger::format_entry(*value) == text, "an entry has one spelling");
  return true;
}

}  // namespace tillsyn::fuzz
