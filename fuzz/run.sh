#!/usr/bin/env bash
# Feed made-up input to the parsers of what devices send, each for a while. What breaks one is kept in
# fuzz/artifacts; what reaches new code lies in the cache and is used again.
# usage: MINUTES=10 fuzz/run.sh [sip|program_stream|soap|parts|rtp|rtsp|metadata]...      (default: all)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=0.13.2
cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
seconds=$((${MINUTES:-10} * 60))

PATH=$cache/bin:$PATH
if ! command -v cargo-fuzz >/dev/null; then
    echo "building cargo-fuzz $version (a minute, once)"
    env -u CARGO_TARGET_DIR cargo install --locked --root "$cache" "cargo-fuzz@$version"
fi

# The instrumentation has to be asked for with an unstable option; the compiler stays the usual one.
export RUSTC_BOOTSTRAP=1
# All of it is safe Rust: what a sanitizer would find does not compile.
options=(--sanitizer none --target-dir "${CARGO_TARGET_DIR:-$cache/target}/fuzz")

[ $# -gt 0 ] || set -- sip program_stream soap parts rtp rtsp metadata
for target in "$@"; do
    corpus=$cache/fuzz/$target
    mkdir -p "$corpus"
    cargo fuzz run "${options[@]}" "$target" "$corpus" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
done
