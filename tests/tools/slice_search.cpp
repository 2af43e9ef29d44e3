// Looks for any 16-byte slice of the given secrets in files or in the memory of running processes. Tells whether what
// must not be there is there; run by the end-to-end tests, as root for memory.
//
//   slice-search NEEDLES [--file F]… [--pid N]…      NEEDLES: u32 big-endian length + bytes, repeated
//   -> one JSON line {"slices":n,"searched":bytes,"hits":n}
//
// Slices with fewer than eight different bytes say nothing (zeros, padding) and are left out.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

constexpr std::size_t kSlice = 16;
constexpr std::size_t kFewestDifferent = 8;
constexpr std::size_t kBlock = std::size_t{8} << 20;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHere = 3ull << 62;  // of /proc/<pid>/pagemap: in memory, or swapped out
// Larger is address space without memory: a sanitizer's shadow, a byte for every eight.
constexpr std::uint64_t kLargestMapping = 1ull << 40;

struct Slice {
  std::uint64_t a, b;
  friend bool operator==(const Slice&, const Slice&) = default;
};
struct SliceHash {
  std::size_t operator()(const Slice& s) const { return s.a * 0x9e3779b97f4a7c15u ^ s.b * 0xc2b2ae3d27d4eb4fu; }
};

Slice slice_at(const std::uint8_t* bytes) {
  Slice out{};
  std::memcpy(&out.a, bytes, 8);
  std::memcpy(&out.b, bytes + 8, 8);
  return out;
}

bool says_something(const std::uint8_t* bytes) {
  std::bitset<256> seen;
  for (std::size_t i = 0; i < kSlice; ++i) seen.set(bytes[i]);
  return seen.count() >= kFewestDifferent;
}

class Search {
 public:
  void add(const std::vector<std::uint8_t>& secret) {
    for (std::size_t i = 0; i + kSlice <= secret.size(); ++i) {
      if (!says_something(&secret[i])) continue;
      slices_.insert(slice_at(&secret[i]));
      first_.set(prefix(&secret[i]));
      second_.set(middle(&secret[i]));
    }
  }

  void through(const std::uint8_t* bytes, std::size_t size) {
    searched_ += size;
    for (std::size_t i = 0; i + kSlice <= size; ++i) {
      if (first_.test(prefix(bytes + i)) && second_.test(middle(bytes + i)) && slices_.contains(slice_at(bytes + i)))
        ++hits_;
    }
  }

  // Blocks overlap by a slice less one byte, so that none is missed at a border.
  void through_descriptor(int fd, std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint8_t> block(kBlock);
    while (from < to) {
      const std::size_t wanted = std::min<std::uint64_t>(block.size(), to - from);
      const ssize_t got = pread(fd, block.data(), wanted, static_cast<off_t>(from));
      if (got <= 0) return;
      through(block.data(), static_cast<std::size_t>(got));
      const auto step = static_cast<std::uint64_t>(got);
      from += step > kSlice - 1 && from + step < to ? step - (kSlice - 1) : step;
    }
  }

  void print() const {
    std::printf("{\"slices\":%zu,\"searched\":%zu,\"hits\":%zu}\n", slices_.size(), searched_, hits_);
  }

 private:
  static std::size_t prefix(const std::uint8_t* bytes) {
    return static_cast<std::size_t>(bytes[0]) | static_cast<std::size_t>(bytes[1]) << 8 |
           static_cast<std::size_t>(bytes[2]) << 16;
  }

  static std::size_t middle(const std::uint8_t* bytes) { return slice_at(bytes).b * 0x9e3779b97f4a7c15u >> 37; }

  std::unordered_set<Slice, SliceHash> slices_;
  // What is not in these is not in the set: the first is small enough for a cache, the second seldom wrong.
  std::bitset<std::size_t{1} << 24> first_;
  std::bitset<std::size_t{1} << 27> second_;
  std::size_t searched_ = 0;
  std::size_t hits_ = 0;
};

bool add_needles(Search& search, const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> all{std::istreambuf_iterator<char>(file), {}};
  std::size_t at = 0;
  while (at + 4 <= all.size()) {
    std::uint32_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(all[at + static_cast<std::size_t>(i)]);
    at += 4;
    if (at + length > all.size()) return false;
    search.add({all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at + length)});
    at += length;
  }
  return at == all.size() && at > 0;
}

bool search_file(Search& search, const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  search.through_descriptor(fd, 0, static_cast<std::uint64_t>(lseek(fd, 0, SEEK_END)));
  close(fd);
  return true;
}

// The parts of [from, to) that a process really has in memory, one after the other.
class PagesHere {
 public:
  PagesHere(int pagemap, std::uint64_t from, std::uint64_t to) : pagemap_(pagemap), at_(from), to_(to) {}

  // False when there is no more; else the next [from, to).
  bool next(std::uint64_t& from, std::uint64_t& to) {
    while (at_ < to_ && !is_here(at_)) at_ += kPage;
    from = at_;
    while (at_ < to_ && is_here(at_)) at_ += kPage;
    to = at_;
    return from < to;
  }

 private:
  bool is_here(std::uint64_t address) {
    const std::uint64_t page = address / kPage;
    if (page < first_ || page >= first_ + known_) load(page);
    return known_ > 0 && (words_[page - first_] & kHere) != 0;
  }
  void load(std::uint64_t page) {
    first_ = page;
    const std::uint64_t wanted = std::min<std::uint64_t>(words_.size(), to_ / kPage - page) * sizeof words_[0];
    const ssize_t got = pread(pagemap_, words_.data(), wanted, static_cast<off_t>(page * sizeof words_[0]));
    known_ = got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof words_[0];
  }

  int pagemap_;
  std::uint64_t at_, to_;
  std::uint64_t first_ = 0;
  std::size_t known_ = 0;
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(std::size_t{1} << 16);
};

bool search_process(Search& search, const std::string& pid) {
  std::ifstream maps("/proc/" + pid + "/maps");
  const int fd = open(("/proc/" + pid + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  const int pagemap = open(("/proc/" + pid + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  if (!maps || fd < 0 || pagemap < 0) return false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    char readable = '-';
    const bool is_read = std::sscanf(line.c_str(), "%lx-%lx %c", &from, &to, &readable) == 3 && readable == 'r';
    if (!is_read || line.find("[v") != std::string::npos || to - from >= kLargestMapping) continue;
    PagesHere pages(pagemap, from, to);
    for (std::uint64_t a = 0, b = 0; pages.next(a, b);) search.through_descriptor(fd, a, b);
  }
  close(fd);
  close(pagemap);
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  static Search search;
  if (count < 4 || count % 2 != 0 || !add_needles(search, arguments[1])) {
    std::fputs("usage: slice-search NEEDLES [--file F]... [--pid N]...\n", stderr);
    return 2;
  }
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string kind = arguments[i];
    const bool searched = kind == "--file" ? search_file(search, arguments[i + 1])
                                           : kind == "--pid" && search_process(search, arguments[i + 1]);
    if (!searched) {
      std::fprintf(stderr, "slice-search: cannot read %s %s\n", kind.c_str(), arguments[i + 1]);
      return 2;
    }
  }
  search.print();
  return 0;
}
