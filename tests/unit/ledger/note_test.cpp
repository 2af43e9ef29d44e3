#include "common/ledger/note.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/json.h"
#include "common/ledger/checkpoint.h"

using namespace tillsyn;
using namespace tillsyn::ledger;
using crypto::Ed25519PrivateKey;

namespace {

constexpr const char* kOrigin = "ledger.example/vard-ost";

Ed25519PrivateKey key_of(std::uint8_t seed) { return std::move(*Ed25519PrivateKey::from_seed(Bytes(32, seed))); }
VerifierKey verifier_of(std::uint8_t seed, const std::string& name = kOrigin) {
  return {name, key_of(seed).public_key()};
}

Json published(const std::string& id) {
  const Json all = Json::parse(std::ifstream(std::string(TILLSYN_VECTORS) + "/c2sp_notes.json"))["notes"];
  for (const Json& item : all) {
    if (item["id"] == id) return item;
  }
  FAIL("no vector " << id);
  return {};
}

Checkpoint some_checkpoint() {
  Checkpoint out{kOrigin, 42, {}};
  out.root.fill(7);
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

// The last line of a note: its one signature.
std::string signature_line(const std::string& note) { return note.substr(note.rfind("\n\n") + 2); }

}  // namespace

TEST_CASE("the note of the C2SP specification verifies under its published key", "[ledger][AUD-2]") {
  const Json item = published("signed-note-example");
  const std::string note = item["note"];
  const std::string vkey = item["vkeys"][0];
  const auto key = parse_vkey(vkey);
  REQUIRE(key.ok());
  CHECK(key->name == "example.com/foo");
  CHECK(key_id(*key) == 0x530d903a);
  CHECK(format_vkey(*key) == vkey);
  CHECK(*open_note(note, *key) == "This is an example message.\n");
  CHECK_FALSE(open_note(replaced(note, "example message", "Example message"), *key).ok());
}

TEST_CASE("the other notes of the specification are read, and prove nothing under a foreign key", "[ledger][AUD-2]") {
  const std::string quasimodo = published("signed-note-quasimodo-syntax")["note"];
  CHECK(parse_note(quasimodo)->text.ends_with("\n\ned è subito sera.\n"));

  const std::string cosigned = published("cosigned-checkpoint-example-syntax")["note"];
  const auto note = parse_note(cosigned);
  REQUIRE(note.ok());
  REQUIRE(note->signatures.size() == 2);
  CHECK(note->signatures[0].name == "example.com/behind-the-sofa");
  CHECK(note->signatures[0].signature.size() == 64);
  CHECK(note->signatures[1].signature.size() == 72);
  const auto checkpoint = parse_checkpoint(note->text);
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->origin == "example.com/behind-the-sofa");
  CHECK(checkpoint->size == 20852163);
  CHECK(to_base64(checkpoint->root) == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
  CHECK_FALSE(open_note(cosigned, verifier_of(1, "example.com/behind-the-sofa")).ok());
}

TEST_CASE("a key of another algorithm is refused", "[ledger][AUD-1]") {
  const Json item = published("rome-2024h1-rfc6962-ecdsa-p256");
  CHECK_FALSE(parse_vkey(item["vkeys"][0].get<std::string>()).ok());
  CHECK(parse_note(item["note"].get<std::string>()).ok());
}

TEST_CASE("a checkpoint is read back as it was signed", "[ledger][AUD-1]") {
  const Checkpoint checkpoint = some_checkpoint();
  const std::string note = *sign_checkpoint(checkpoint, key_of(1));
  CHECK(*open_checkpoint(note, verifier_of(1)) == checkpoint);
  CHECK(note.starts_with("ledger.example/vard-ost\n42\nBwcHBwcH"));
}

TEST_CASE("a checkpoint under another key, name or origin is refused", "[ledger][AUD-1]") {
  const std::string note = *sign_checkpoint(some_checkpoint(), key_of(1));
  CHECK(open_checkpoint(note, verifier_of(2)).error().reason == "note_signature");
  CHECK(open_checkpoint(note, verifier_of(1, "ledger.example/vard-vast")).error().reason == "note_signature");
  const std::string foreign =
      *sign_note("ledger.example/vard-vast\n0\n" + to_base64(empty_root()) + "\n", kOrigin, key_of(1));
  CHECK(open_checkpoint(foreign, verifier_of(1)).error().reason == "checkpoint_origin");
}

TEST_CASE("no byte of a signed checkpoint can be changed", "[ledger][AUD-1]") {
  const std::string note = *sign_checkpoint(some_checkpoint(), key_of(1));
  for (std::size_t bit = 0; bit < note.size() * 8; ++bit) {
    std::string changed = note;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    if (open_checkpoint(changed, verifier_of(1))) FAIL_CHECK("accepted");
  }
  for (std::size_t length = 0; length < note.size(); ++length) {
    CAPTURE(length);
    if (open_checkpoint(note.substr(0, length), verifier_of(1))) FAIL_CHECK("accepted");
  }
  CHECK_FALSE(open_checkpoint(note + "\n", verifier_of(1)).ok());
}

TEST_CASE("signatures of others are passed over, two of one key are refused", "[ledger][AUD-1]") {
  const std::string note = *sign_checkpoint(some_checkpoint(), key_of(1));
  const std::string witness =
      signature_line(*sign_note(format_checkpoint(some_checkpoint()), "witness.example", key_of(2)));
  CHECK(open_checkpoint(note + witness, verifier_of(1)).ok());
  CHECK(open_note(note + witness, verifier_of(2, "witness.example")).ok());
  CHECK_FALSE(open_checkpoint(note + signature_line(note), verifier_of(1)).ok());
  std::string many = note;
  for (std::size_t i = 1; i < kMaxNoteSignatures; ++i) many += witness;
  CHECK(open_checkpoint(many, verifier_of(1)).ok());
  CHECK_FALSE(open_checkpoint(many + witness, verifier_of(1)).ok());
}

TEST_CASE("a note of another shape is refused", "[ledger][AUD-1]") {
  const std::string good = *sign_note("a\n", "n", key_of(1));
  const std::string line = signature_line(good);
  REQUIRE(parse_note(good).ok());
  for (const std::string& bad : {std::string(),
                                 std::string("a\n"),
                                 std::string("a\n\n"),
                                 "a\n" + line,
                                 "\n" + line,
                                 "a\n\n\n" + line + "x",
                                 replaced(good, "\u2014 n", "- n"),
                                 replaced(good, "\u2014 n", "\u2014n"),
                                 replaced(good, "\u2014 n", "\u2014  n"),
                                 replaced(good, "\u2014 n", "\u2014 n+m"),
                                 replaced(good, "\u2014 n", "\u2014 n\u00a0m"),
                                 replaced(good, "\u2014 n", "\u2014 n\u3000"),
                                 replaced(good, " n ", " n  "),
                                 replaced(good, "=\n", "\n"),
                                 replaced(good, "=\n", "= \n"),
                                 replaced(good, "a\n", "a\r\n"),
                                 replaced(good, "a\n", "\t\n"),
                                 replaced(good, "a\n", "\xff\n"),
                                 replaced(good, "a\n", std::string("\0\n", 2)),
                                 good + line + "\n",
                                 std::string("a\n\n\u2014 n AAAA\n"),
                                 std::string("a\n\n\u2014 n AAAAAA==\n"),
                                 std::string(kMaxNoteBytes, 'a') + "\n\n" + line}) {
    CAPTURE(bad.substr(0, 120));
    CHECK_FALSE(parse_note(bad).ok());
  }
}

TEST_CASE("what cannot be a note is not signed", "[ledger][AUD-1]") {
  for (const char* text : {"", "a", "a\r\n", "\x01\n", "\xc0\xaf\n"}) {
    CAPTURE(text);
    CHECK_FALSE(sign_note(text, "n", key_of(1)).ok());
  }
  for (const char* name : {"", "a b", "a+b", "a\nb", "\u2003", "\xff"}) {
    CAPTURE(name);
    CHECK_FALSE(sign_note("a\n", name, key_of(1)).ok());
  }
  Checkpoint two_lines = some_checkpoint();
  two_lines.origin = "a\nb";
  CHECK_FALSE(sign_checkpoint(two_lines, key_of(1)).ok());
}

TEST_CASE("a verifier key has one spelling", "[ledger][AUD-1]") {
  const std::string good = format_vkey(verifier_of(1));
  REQUIRE(*parse_vkey(good) == verifier_of(1));
  const std::string id = good.substr(good.find('+') + 1, 8);
  const std::string other_id = (id[0] == '0' ? '1' : '0') + id.substr(1);
  std::string upper = id;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(upper != id);
  for (const std::string& bad :
       {std::string(), std::string("n"), std::string("n+"), std::string("n++"), "x" + good, good + "=", good + " ",
        replaced(good, id, other_id), replaced(good, id, upper), replaced(good, id + "+", id),
        replaced(good, "+", " +"), good.substr(0, good.size() - 1), good.substr(good.find('+')),
        replaced(good, "+" + id, "+" + id + "+" + id)}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_vkey(bad).ok());
  }
}

TEST_CASE("a checkpoint's text has one spelling", "[ledger][AUD-1]") {
  const std::string root = to_base64(ByteArray<32>{});
  REQUIRE(parse_checkpoint("o\n1\n" + root + "\n").ok());
  REQUIRE(parse_checkpoint("o\n9007199254740991\n" + root + "\n").ok());
  REQUIRE(parse_checkpoint("o\n0\n" + to_base64(empty_root()) + "\n").ok());
  for (const std::string& bad : {std::string(),
                                 std::string("o\n"),
                                 std::string("o\n1\n"),
                                 "o\n1\n" + root,
                                 "\n1\n" + root + "\n",
                                 "o\n01\n" + root + "\n",
                                 "o\n+1\n" + root + "\n",
                                 "o\n-1\n" + root + "\n",
                                 "o\n 1\n" + root + "\n",
                                 "o\n1 \n" + root + "\n",
                                 "o\n\n" + root + "\n",
                                 "o\n1e3\n" + root + "\n",
                                 "o\n9007199254740992\n" + root + "\n",
                                 "o\n18446744073709551616\n" + root + "\n",
                                 "o\n0\n" + root + "\n",
                                 "o\n1\n" + root + "\nextra\n",
                                 "o\n1\n" + root + "\n\n",
                                 "o\n1\n" + root.substr(4) + "\n",
                                 "o\n1\nAA" + root + "\n",
                                 "o\n1\n" + root + " \n",
                                 "o\n1\n" + to_hex(ByteArray<32>{}) + "\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_checkpoint(bad).ok());
  }
}
