#!/usr/bin/env bash
# Builds the targets and runs each for a while, as many at a time as there are cores: tests/fuzz/run.sh SECONDS [TARGET ...]
#
# What a run finds worth keeping stays beside the build (in CARGO_TARGET_DIR) for the next one. An input that breaks
# something is written beside this script; give it to the target as its one argument to see it again.
set -euo pipefail
cd "$(dirname "$0")"

# One target, for so many seconds.
run() {
    local seconds=$1 target=$2
    local found=$CARGO_TARGET_DIR/corpus/$target log=$CARGO_TARGET_DIR/$target.log seeds=seeds/$target
    mkdir -p "$found"
    [ "$target" != intake ] || seeds=../fixtures/feishu/senders
    # Twenty seconds for one input are a stall, even where other programs use the machine too.
    if ! "$built/$target" "$found" "$seeds" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=512 \
        -max_len=16384 -artifact_prefix="$PWD/$target-" -print_final_stats=1 >"$log" 2>&1; then
        tail -n 60 "$log"
        exit 1
    fi
    awk -v target="$target" '/number_of_executed_units/ { n = $2 } END { printf "%s: %d inputs\n", target, n }' "$log"
}

seconds=${1:?how many seconds for each target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(intake cards rules templates replies decoders)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --quiet --locked --bins
built=$CARGO_TARGET_DIR/$(rustc -vV | sed -n 's/^host: //p')/debug

export built
export -f run
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c "set -euo pipefail; run $seconds {}"
echo "${#targets[@]} passed"
