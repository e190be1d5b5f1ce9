#!/usr/bin/env bash
# Fuzz the parsers of what devices send, each for MINUTES. Input that breaks a parser is kept in
# fuzz/artifacts; input that reaches new code is kept in the cache and used again.
# usage: MINUTES=10 fuzz/run.sh [sip|program_stream|soap|parts|rtp|rtsp|metadata]...      (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=0.13.2
cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
seconds=$((${MINUTES:-10} * 60))

PATH=$cache/bin:$PATH
if ! command -v cargo-fuzz >/dev/null; then
    echo "building cargo-fuzz $version (once, takes a minute)"
    env -u CARGO_TARGET_DIR cargo install --locked --root "$cache" "cargo-fuzz@$version"
fi

# Instrumentation needs an unstable option; the compiler is the stable one.
export RUSTC_BOOTSTRAP=1
# The code is safe Rust only: what a sanitizer finds does not compile.
options=(--sanitizer none --target-dir "${CARGO_TARGET_DIR:-$cache/target}/fuzz")

[ $# -gt 0 ] || set -- sip program_stream soap parts rtp rtsp metadata
for target in "$@"; do
    corpus=$cache/fuzz/$target
    mkdir -p "$corpus"
    cargo fuzz run "${options[@]}" "$target" "$corpus" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
done
