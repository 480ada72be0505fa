#!/usr/bin/env bash
# Every check of the project, from a machine that has Debian and Rust. Installs what it needs into a cache, once.
#
#   tests/run.sh              everything
#   tests/run.sh STEP ...     only these, in this order; the list `steps` below names them
#
# A step is a function of its name, and a place in the list. What it prints as `N passed, M failed` is counted.
#
# LARKSPUR_CACHE    tools and build output (default ~/.cache/larkspur): outside the checkout, so that a fresh clone at
#                   the same place builds only what has changed
# CARGO_TARGET_DIR  build output of the tests, if it is to be elsewhere
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${LARKSPUR_CACHE:-$HOME/.cache/larkspur}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# Whoever edits gains from it. A whole run loses time to it, and gigabytes.
export CARGO_INCREMENTAL=0
export LARKSPUR_TEST_PYTHON=$cache/test/bin/python
PATH=$cache/bin:$PATH
mkdir -p "$cache"

cargo_deny=0.20.2
cargo_nextest=0.9.143
gungraun=0.20.0
steps=(format clippy docs deny tests template fuzz deploy speed)

# --- what the steps need ------------------------------------------------------------------------------------------

need_packages() {
    local missing=()
    command -v cc >/dev/null || missing+=(build-essential)
    command -v curl >/dev/null || missing+=(curl ca-certificates)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
    [ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
}

# The browser of the scenarios that need one.
need_browser() { [ -x /usr/bin/chromium ] || install chromium; }

# What counts instructions.
need_valgrind() { command -v valgrind >/dev/null || install valgrind; }

install() {
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -q
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "$@"
}

# A virtual environment in the cache, made again only when its requirements change.
need_python() {
    local folder=$cache/$1 wanted=tests/tools/requirements-$1.txt
    cmp -s "$wanted" "$folder/requirements.txt" && return
    need_packages
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$folder/requirements.txt"
}

# A cargo command in its pinned version. Debug builds: they compile in half the time and do their work as well.
need_cargo() {
    local name=$1 version=$2
    shift 2
    cargo "${name#cargo-}" --version 2>/dev/null | grep -qF " $version" && return
    CARGO_TARGET_DIR=$cache/tools cargo install --quiet --locked --debug --root "$cache" "$name" --version "$version" "$@"
    rm -rf "$cache/tools"
}

# It says no version of its own: a file beside it does.
need_gungraun() {
    [ -x "$cache/bin/gungraun-runner" ] && [ "$(cat "$cache/gungraun-version" 2>/dev/null)" = "$gungraun" ] && return
    CARGO_TARGET_DIR=$cache/tools cargo install --quiet --locked --debug --root "$cache" gungraun-runner --version "$gungraun"
    rm -rf "$cache/tools"
    echo "$gungraun" >"$cache/gungraun-version"
}

# --- the functions ------------------------------------------------------------------------------------------------

# `sam build` has them built one after the other, and then a core often waits for the other. Here all are built at once, by
# the same command into the same folder, so that `sam build` finds them done; and while the steps before `deploy` run, at
# the lowest priority: much of what tests do is wait. A step that measures time waits for `functions_built` first.

# In a subshell: what `sam build` and cargo-lambda need.
for_functions() {
    export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 CARGO_TARGET_DIR=$cache/sam-target
    # cargo-lambda would fetch the standard library of another processor; here it is this machine's.
    export RUSTUP_DIST_SERVER=http://127.0.0.1:9 RUSTUP_MAX_RETRIES=0 PATH=$cache/deploy/bin:$PATH
}

begin_functions() {
    need_python deploy
    rm -f "$cache/functions.status"
    (
        trap 'echo $? >"$cache/functions.status"' EXIT
        for_functions
        packages=()
        for folder in functions/*/; do packages+=(--package "$(basename "$folder")"); done
        nice -n 19 cargo lambda build --release --locked --quiet "${packages[@]}"
    ) >"$cache/functions.log" 2>&1 &
    functions=$!
}

# Waits for what was begun. From a step, so in a subshell, which cannot wait for the process itself.
functions_built() {
    while [ ! -s "$cache/functions.status" ]; do
        kill -0 "$functions" 2>/dev/null || { sleep 1; [ -s "$cache/functions.status" ] || return 1; }
        sleep 1
    done
    [ "$(cat "$cache/functions.status")" = 0 ] || { tail -n 60 "$cache/functions.log"; return 1; }
}

# --- the steps ----------------------------------------------------------------------------------------------------

format() { cargo fmt --all --check; }

clippy() { cargo clippy --quiet --locked --workspace --all-targets -- -D warnings; }

docs() { RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --document-private-items; }

deny() {
    local manifest
    # The workspaces that the steps after this one build: each has a lock file of its own, which is easily left behind.
    for manifest in tests/clients tests/fuzz tests/speed/rules; do
        cargo metadata --quiet --locked --format-version 1 --manifest-path "$manifest/Cargo.toml" >/dev/null
    done
    need_cargo cargo-deny "$cargo_deny"
    cargo deny --log-level error check licenses bans sources
    if timeout 60 cargo deny --log-level off fetch db >/dev/null 2>&1; then
        cargo deny --log-level error check --disable-fetch advisories
    else
        echo "NOT CHECKED: advisories, for their database cannot be reached from here"
    fi
}

tests() {
    need_cargo cargo-nextest "$cargo_nextest" --no-default-features --features default-no-update
    need_browser
    need_python test
    cargo build --quiet --locked --manifest-path tests/clients/Cargo.toml
    cargo nextest run --locked --workspace --no-fail-fast --status-level fail --final-status-level slow
    cargo test --quiet --locked --workspace --doc
}

template() {
    need_python deploy
    export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1
    "$cache/deploy/bin/cfn-lint" --version
    PATH=$cache/deploy/bin:$PATH "$cache/deploy/bin/python" tests/tools/lint_template.py
    "$cache/deploy/bin/sam" validate --lint
}

# Parsers, patterns, templates and decoders against the kept inputs and a few seconds of what libFuzzer makes up. To
# explore, run it for longer: tests/fuzz/README.md.
fuzz() { CARGO_TARGET_DIR=$cache/fuzz tests/fuzz/run.sh 5; }

# What `speed` holds the functions beside, the instructions of rules, and the costs: made while `deploy` waits for its
# services, which takes one core. No figure of them is a time.
begin_references() {
    rm -f "$cache/references.status" "$cache/examples.status"
    (
        trap 'echo $? >"$cache/references.status"' EXIT
        need_valgrind
        (
            trap 'echo $? >"$cache/examples.status"' EXIT
            for_functions
            cargo lambda build --release --locked --quiet --package ingest --example nothing --example send \
                --lambda-dir "$cache/speed"
        )
        need_gungraun
        CARGO_TARGET_DIR=$cache/rules cargo bench --quiet --locked --manifest-path tests/speed/rules/Cargo.toml -- \
            --output-format=json | python3 tests/speed/rules.py
        "$cache/test/bin/python" tests/speed/cost.py "$cache/deploy/bin/sam" "$cache/sam-build/template.yaml"
    ) >"$cache/references.log" 2>&1 &
    # Another step waits for it, in another shell.
    echo $! >"$cache/references.pid"
}

# Waits for `examples` or all `references`.
made() {
    while [ ! -s "$cache/$1.status" ]; do
        kill -0 "$(cat "$cache/references.pid")" 2>/dev/null || { sleep 1; [ -s "$cache/$1.status" ] || return 1; }
        sleep 1
    done
    [ "$(cat "$cache/$1.status")" = 0 ] || { cat "$cache/references.log"; return 1; }
}

# The functions as operators build them, deployed to an emulator that is not ours, and a message sent through.
deploy() {
    need_python test
    functions_built
    (
        for_functions
        sam build --build-dir "$cache/sam-build" >"$cache/sam-build.log" 2>&1 ||
            { tail -n 60 "$cache/sam-build.log"; exit 1; }
    )
    case " ${steps[*]} " in *" speed "*) begin_references ;; esac
    python3 tests/tools/zip_sizes.py "$cache/sam-build"
    "$cache/test/bin/python" tests/tools/deployed.py "$cache/deploy/bin/sam" "$cache/sam-build/template.yaml"
}

# What a message costs: instructions of what `deploy` has built beside what does nothing, calls and bytes at the emulator.
speed() {
    case " ${steps[*]} " in *" deploy "*) ;; *) begin_references ;; esac
    local failed=0
    made examples || return 1
    cargo run --quiet --locked -p scenarios --example speed -- "$cache/speed" "$cache/sam-build" || failed=1
    made references || return 1
    cat "$cache/references.log"
    return "$failed"
}

# --- run them -----------------------------------------------------------------------------------------------------

# How many tests or checks passed, or failed, by the runners' own counts.
counted() {
    awk -v what="[0-9]+ $1" '
        { while (match($0, what)) { n += substr($0, RSTART); $0 = substr($0, RSTART + RLENGTH) } }
        END { print n + 0 }' "$output"
}

# The last lines, however the run ends.
summary() {
    local failed
    [ -z "$functions" ] || kill -- "-$functions" 2>/dev/null || true
    failed=$(counted failed)
    printf '\n'
    grep '^NOT CHECKED' "$output" || true
    if [ -n "$current" ]; then
        printf 'The step "%s" failed; those after it did not run.\n' "$current"
        [ "$failed" -gt 0 ] || failed=1
    fi
    printf '%6d s  %s\n' "${times[@]}"
    printf '%d of %d steps in %d s\n' "$finished" ${#steps[@]} "$SECONDS"
    printf '%d passed, %d failed\n' "$(counted passed)" "$failed"
}

[ $# -eq 0 ] || steps=("$@")
output=$cache/last-run.log
current=packages
finished=0
functions=
times=()
: >"$output"
trap summary EXIT
need_packages
targets=("$CARGO_TARGET_DIR" "$cache/sam-target" "$cache/fuzz" "$cache/rules")
python3 tests/tools/keep_times.py before "$cache/times.json" "${targets[@]}"
case " ${steps[*]} " in *" deploy "*) set -m; begin_functions; set +m ;; esac
times+=("$SECONDS" packages)
for current in "${steps[@]}"; do
    started=$SECONDS
    printf '\n== %s\n' "$current"
    "$current" 2>&1 | tee -a "$output"
    finished=$((finished + 1))
    times+=($((SECONDS - started)) "$current")
    printf '== %s: done in %d s\n' "$current" $((SECONDS - started))
done
current=
python3 tests/tools/keep_times.py after "$cache/times.json" "${targets[@]}"
