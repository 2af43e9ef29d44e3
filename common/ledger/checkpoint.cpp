#include "common/ledger/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tillsyn::ledger {
namespace {

constexpr std::uint64_t kMaxSize = (std::uint64_t{1} << 53) - 1;

// The three lines of a checkpoint without their newlines; malformed if there are more or fewer.
Result<std::array<std::string_view, 3>> split_lines(std::string_view text) {
  std::array<std::string_view, 3> lines;
  for (std::string_view& line : lines) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return malformed("checkpoint", "fewer than three lines");
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return malformed("checkpoint", "more than three lines");
  return lines;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool is_canonical = error == std::errc() && end == text.data() + text.size() && std::to_string(size) == text;
  if (!is_canonical || size > kMaxSize) return malformed("checkpoint", "the size is not a plain number");
  return size;
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + to_base64(checkpoint.root) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  TILLSYN_TRY(lines, split_lines(text));
  if (lines[0].empty()) return malformed("checkpoint", "no origin");
  TILLSYN_TRY(size, parse_size(lines[1]));
  const auto root = from_base64(lines[2]);
  Checkpoint out{std::string(lines[0]), size, {}};
  if (!root || root->size() != out.root.size()) return malformed("checkpoint", "the root is not 32 bytes of base64");
  std::copy(root->begin(), root->end(), out.root.begin());
  if (size == 0 && out.root != empty_root()) return malformed("checkpoint", "an empty log has one root only");
  return out;
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519PrivateKey& key) {
  return sign_note(format_checkpoint(checkpoint), checkpoint.origin, key);
}

Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key) {
  TILLSYN_TRY(text, open_note(note, key));
  TILLSYN_TRY(checkpoint, parse_checkpoint(text));
  if (checkpoint.origin != key.name) return refused("checkpoint_origin", "the checkpoint is of another log");
  return std::move(checkpoint);
}

}  // namespace tillsyn::ledger
