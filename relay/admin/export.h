#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ledger/checkpoint.h"
#include "common/orders/root_list.h"

namespace tillsyn::admin {

// A provider's whole log as a file that anybody can verify offline: a line for each entry, its exact text, then the
// line
// {"checkpoint": note}. Lines end in LF. Threads: everything in this header is reentrant.
constexpr std::size_t kMaxExportBytes = std::size_t{2} * 1024 * 1024 * 1024;

struct Export {
  std::vector<std::string> entries;
  std::string note;
  struct OnTheWay {
    std::size_t size = 0;  // entries above it
    std::string note;
  };
  std::vector<OnTheWay> on_the_way = {};  // a copy has a checkpoint after each of its parts
};

std::string format_export(const Export& log);

// Form only: lines, and a checkpoint at the end. Refused "log" for a file that was cut off.
Result<Export> parse_export(std::string_view text);

// The last line alone.
std::string format_export_end(const std::string& note);

// What is known of the log from another time: its entries, or only a checkpoint over them.
struct Earlier {
  ledger::Checkpoint checkpoint;
  std::vector<std::string> entries;  // all of them, or none
};

// Verifies the export under the provider's key: every entry's form and place, times that do not go back, and that the
// checkpoint was signed by the log over exactly these entries; with `earlier`, that the log continues it, too. Refused
// "log", the message names the first entry that was altered, dropped, moved, back-dated or inserted, as far as the
// export and `earlier` can tell.
//
// Without `earlier`, an operator with the log's own key may have written another log altogether; the checkpoints in the
// municipality's bundles tell.
Result<ledger::Checkpoint> verify_export(const Export& log, const orders::Provider& provider,
                                         const std::optional<Earlier>& earlier);

// Reads an earlier export, which must verify by itself, or a signed checkpoint as a note.
Result<Earlier> parse_earlier(std::string_view text, const orders::Provider& provider);

// The log as a table for people: number, time, what, who, hub, resident and reason, a line each.
Result<std::string> format_table(const Export& log);

}  // namespace tillsyn::admin
