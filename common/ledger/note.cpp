#include "common/ledger/note.h"

#include <algorithm>
#include <iterator>

#include "common/crypto/hash.h"

namespace tillsyn::ledger {
namespace {

constexpr std::uint8_t kEd25519 = 1;  // C2SP signed-note, "Signature types"
constexpr std::string_view kSignaturePrefix = "\u2014 ";
constexpr std::size_t kKeyIdBytes = 4;

// Unicode's White_Space property beyond ASCII, in UTF-8; a key name holds none of it.
constexpr std::string_view kWideSpaces[] = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                            "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
                                            "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxKeyNameBytes || !is_valid_utf8(name)) return false;
  const auto is_foreign = [](char c) { return (c >= 0 && c <= ' ') || c == '+' || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), is_foreign)) return false;
  const auto holds = [&](std::string_view space) { return name.find(space) != std::string_view::npos; };
  return std::none_of(std::begin(kWideSpaces), std::end(kWideSpaces), holds);
}

bool is_note_text(std::string_view text) {
  const auto is_control = [](char c) { return c >= 0 && c < ' ' && c != '\n'; };
  return text.ends_with('\n') && is_valid_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

Bytes typed_key(const VerifierKey& key) {
  Bytes out{kEd25519};
  append(out, key.public_key.bytes());
  return out;
}

std::string hex_id(std::uint32_t id) {
  Bytes out;
  append_u32(out, id);
  return to_hex(out);
}

Result<NoteSignature> parse_signature(std::string_view line) {
  const Error error = malformed("note", "not a signature line");
  if (!line.starts_with(kSignaturePrefix)) return error;
  line.remove_prefix(kSignaturePrefix.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return error;
  const auto decoded = from_base64(line.substr(space + 1));
  if (!decoded || decoded->size() <= kKeyIdBytes) return error;
  return NoteSignature{std::string(line.substr(0, space)), read_u32(*decoded),
                       Bytes(decoded->begin() + kKeyIdBytes, decoded->end())};
}

Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines) {
  std::vector<NoteSignature> out;
  while (!lines.empty()) {
    if (out.size() == kMaxNoteSignatures) return malformed("note", "too many signatures");
    const auto end = lines.find('\n');
    TILLSYN_TRY(signature, parse_signature(lines.substr(0, end)));
    out.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::uint32_t key_id(const VerifierKey& key) {
  Bytes input(key.name.begin(), key.name.end());
  input.push_back('\n');
  append(input, typed_key(key));
  return read_u32(crypto::sha256(input));
}

std::string format_vkey(const VerifierKey& key) {
  return key.name + "+" + hex_id(key_id(key)) + "+" + to_base64(typed_key(key));
}

Result<VerifierKey> parse_vkey(std::string_view text) {
  const Error error = malformed("vkey", "not a key of the form name+id+base64 for Ed25519");
  const auto first = text.find('+');
  if (first == std::string_view::npos || !is_key_name(text.substr(0, first))) return error;
  const std::string_view rest = text.substr(first + 1);
  if (rest.size() < 10 || rest[8] != '+') return error;
  const auto bytes = from_base64(rest.substr(9));
  if (!bytes || bytes->size() != 33 || bytes->front() != kEd25519) return error;
  const auto public_key = crypto::Ed25519PublicKey::from_bytes(ByteView(*bytes).subspan(1));
  if (!public_key) return error;
  VerifierKey key{std::string(text.substr(0, first)), *public_key};
  if (format_vkey(key) != text) return error;
  return key;
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > kMaxNoteBytes) return malformed("note", "longer than " + std::to_string(kMaxNoteBytes) + " bytes");
  if (!is_note_text(note)) return malformed("note", "not UTF-8 lines without control characters");
  const auto split = note.rfind("\n\n");
  if (split == std::string_view::npos) return malformed("note", "no empty line before the signatures");
  TILLSYN_TRY(signatures, parse_signatures(note.substr(split + 2)));
  if (signatures.empty()) return malformed("note", "no signature");
  return Note{std::string(note.substr(0, split + 1)), std::move(signatures)};
}

Result<std::string> open_note(std::string_view note, const VerifierKey& key) {
  TILLSYN_TRY(parsed, parse_note(note));
  const auto is_by_key = [&, id = key_id(key)](const NoteSignature& s) { return s.name == key.name && s.key_id == id; };
  const auto found = std::find_if(parsed.signatures.begin(), parsed.signatures.end(), is_by_key);
  if (found == parsed.signatures.end()) return refused("note_signature", "not signed by the key asked for");
  if (std::any_of(found + 1, parsed.signatures.end(), is_by_key))
    return refused("note_signature", "signed twice by one key");
  if (!key.public_key.verify(view_of(parsed.text), found->signature))
    return refused("note_signature", "wrong signature");
  return std::move(parsed.text);
}

Result<std::string> sign_note(std::string_view text, const std::string& name, const crypto::Ed25519PrivateKey& key) {
  if (!is_note_text(text)) return malformed("note", "the text is not UTF-8 lines without control characters");
  if (!is_key_name(name)) return malformed("note", "not a key name");
  Bytes signature;
  append_u32(signature, key_id({name, key.public_key()}));
  append(signature, key.sign(view_of(text)));
  return std::string(text) + "\n" + std::string(kSignaturePrefix) + name + " " + to_base64(signature) + "\n";
}

}  // namespace tillsyn::ledger
