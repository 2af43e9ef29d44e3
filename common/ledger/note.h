#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"

namespace tillsyn::ledger {

// Signed notes with Ed25519 (C2SP signed-note, signature type 0x01):
//
//   text, which ends in a newline
//   <empty line>
//   — <key name> <base64(4 bytes key id ‖ signature)>          one line a signature
//
// Threads: everything in this header is reentrant.
constexpr std::size_t kMaxNoteBytes = 64 * 1024;
constexpr std::size_t kMaxNoteSignatures = 16;
constexpr std::size_t kMaxKeyNameBytes = 200;

// A key under which notes are verified, with the name it signs by.
struct VerifierKey {
  std::string name;  // not empty, no white space, control character or '+', valid UTF-8
  crypto::Ed25519PublicKey public_key;

  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

// The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), big-endian.
std::uint32_t key_id(const VerifierKey& key);

// The text form "<name>+<id, 8 hex digits>+<base64(0x01 ‖ public key)>". parse refuses every other algorithm, a wrong
// id and other spellings. Reason: "vkey".
std::string format_vkey(const VerifierKey& key);
Result<VerifierKey> parse_vkey(std::string_view text);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;
};

struct Note {
  std::string text;  // with its last newline: the bytes that are signed
  std::vector<NoteSignature> signatures;
};

// Splits a note without judging its signatures. Malformed, reason "note": no signature, invalid UTF-8, control
// characters other than newline, bad base64, beyond the limits.
Result<Note> parse_note(std::string_view note);

// The text of a note, signed by exactly `key`. Signatures of other names or ids are ignored, as the format asks;
// refused, reason "note_signature", when `key` has not signed, has signed twice, or the signature is wrong.
Result<std::string> open_note(std::string_view note, const VerifierKey& key);

// `text`, which must end in a newline and hold no other control character, signed under `name`. Reason: "note".
Result<std::string> sign_note(std::string_view text, const std::string& name, const crypto::Ed25519PrivateKey& key);

}  // namespace tillsyn::ledger
