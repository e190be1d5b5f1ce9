#!/usr/bin/env bash
# Test the aarch64 daemon under emulation: it must become healthy, enrol a photo, and recognise the
# same person in another photo.
# usage: cross/smoke.sh      (after cross/build.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
sysroot=$cache/cross/sysroot
polyfaced=$cache/cross/target/aarch64-unknown-linux-gnu/release/polyfaced
patience=600
# shellcheck source=demo/api.sh
source demo/api.sh

# The same models, with ONNX Runtime for the other architecture.
models/fetch.sh --portraits
models/fetch.sh --arch aarch64 --runtime-only "$cache/cross/models/onnxruntime"
ln -sf "$cache"/models/*.toml "$cache"/models/*.onnx "$cache/cross/models/"

# The sysroot is the root directory: ONNX Runtime crashes or hangs on the /proc and /sys of this
# machine, which do not describe an ARM processor.
inside=/srv/smoke
work=$sysroot$inside
storage=$work/storage
log=$work/log
rm -rf "$work"
mkdir -p "$storage"
cp -rL "$cache/cross/models" "$work/"
cp "$polyfaced" "$(command -v qemu-aarch64-static)" "$work/"
cat >"$work/polyface.toml" <<END
[storage]
dir = "$inside/storage"
[models]
dir = "$inside/models"
set = "small" # an emulated network is slow
[inference]
threads = 1
[host]
backend = "recording"
[console]
listen = "127.0.0.1:0"
[sensetime]
enabled = true
listen = "127.0.0.1:0"
END

die() {
    printf 'smoke: %s; last lines of the log:\n' "$*" >&2
    tail -n 30 "$log" >&2
    exit 1
}

stop() {
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
    rm -rf "$work"
}

echo "smoke: starting the aarch64 daemon under emulation"
as_root() {
    if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo "$@"; fi
}
as_root chroot --userspec="$(id -u):$(id -g)" "$sysroot" "$inside/qemu-aarch64-static" \
    "$inside/polyfaced" run --config "$inside/polyface.toml" 2>"$log" &
daemon=$!
trap stop EXIT
await_daemon
echo "smoke: healthy after $SECONDS s"

login
library=$(echo '{"msg_id":"1025","lib_name":"smoke","lib_type":2}' | call lib_id)
enrol "$library" "Barack Obama" "$cache/photos/Barack_Obama/obama.jpg"
compare() {
    printf '{"msg_id":"780","lib_ids":"%s","topk":1,"img":' "$library"
    picture "$cache/photos/Barack_Obama/obama3.jpg"
    printf '}'
}
name=$(compare | call n_topn.name)
[ "$name" = "Barack Obama" ] || die "another photo of Barack Obama was recognised as '$name'"
similarity=$(compare | call n_topn.similarity)
[ "$similarity" -ge 80 ] || die "another photo of Barack Obama has a similarity of only $similarity"
echo "smoke: passed: recognised $name with similarity $similarity"
