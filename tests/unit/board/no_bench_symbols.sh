#!/usr/bin/env bash
# Shows that the firmware built for a real board holds nothing of the bench: no recorded file, no synthetic room, no clock,
# button or light that a test drives. Builds the programs for pc-x86_64 in a directory of its own and searches them; the
# same search must find such names in the bench's programs, so that it is known to work.
#
#   no_bench_symbols.sh <source dir> <work dir> <generator> <bench program>...
set -euo pipefail
source_dir=$1 work_dir=$2 generator=$3
shift 3

bench_symbols() { nm -C "$1" | grep -E '\bbench::|Bench|paint_room|FileClock|FifoButton|FileLight' || true; }
bench_texts() { strings -n 5 "$1" | grep -E '^(offset_ms|filesrc.*|decodebin.*)$' || true; }

cmake -S "$source_dir" -B "$work_dir" -G "$generator" -DTILLSYN_BOARD=pc-x86_64 \
  -DCMAKE_BUILD_TYPE=Dev -DCMAKE_CXX_FLAGS_DEV="-O0 -g0" >/dev/null
cmake --build "$work_dir" --target tillsyn-gate tillsyn-fuse

failed=0
for bench_program in "$@"; do
  program="$work_dir/bin/$(basename "$bench_program")"
  if [ -z "$(bench_symbols "$bench_program")" ]; then
    echo "nothing of the bench found in $bench_program: the search proves nothing"
    failed=1
  fi
  found=$(bench_symbols "$program"; bench_texts "$program")
  if [ -n "$found" ]; then
    printf '%s holds of the bench:\n%s\n' "$program" "$found"
    failed=1
  fi
done
exit "$failed"
