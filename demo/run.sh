#!/usr/bin/env bash
# Run the demo: start the daemon with an empty storage, set it up through a vendor's API as a platform
# would (library, people, camera), and print what it recognises until Ctrl-C.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
polyfaced=${CARGO_TARGET_DIR:-$cache/target}/release/polyfaced
storage=$cache/demo/storage # as in demo.toml, relative to the cache
log=$cache/demo/polyfaced.log
cd "$cache"
# shellcheck source=demo/api.sh
source "$here/api.sh"

die() {
    printf 'demo: %s; last lines of the log:\n' "$*" >&2
    tail -n 15 "$log" >&2
    exit 1
}

stop() {
    trap - EXIT
    trap '' INT TERM
    echo
    echo "demo: stopping"
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
}

rm -rf "$storage"
mkdir -p "$storage"
echo "demo: starting the daemon (log: $log)"
# In its own session: Ctrl-C reaches only this script, which then stops the daemon cleanly.
setsid "$polyfaced" run --config "$here/demo.toml" --print-recognitions 2>"$log" &
daemon=$!
trap stop EXIT
trap 'exit 0' INT TERM
await_daemon

login
library=$(echo '{"msg_id":"1025","lib_name":"staff","lib_type":2}' | call lib_id)
# Not the pictures in the clip, where another one exists. Eileen Collins is not enrolled: a stranger.
enrol "$library" "Barack Obama" photos/Barack_Obama/obama3.jpg
enrol "$library" "Joe Biden" photos/Joe_Biden/biden.jpg
cat <<END
demo: two people are enrolled; camera "gate" plays $cache/demo/gate.mp4
demo: console      http://$console/      (user admin, password in $storage/initial-password)
demo: SenseTime    http://$api/api/json
demo: Ctrl-C ends it

END
clip=$(python3 -c 'import pathlib; print(pathlib.Path("demo/gate.mp4").resolve().as_uri())')
printf '{"msg_id":"513","protocol":"rtsp","camera_mode":"VIDEO","camera_name":"gate","url":"%s?loop=1",
    "lib_ids":"%s","threshold":80,"snap_mode":1}' "$clip" "$library" | call channel >/dev/null

wait "$daemon" || true
die "the daemon ended"
