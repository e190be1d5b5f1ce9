#!/usr/bin/env bash
# Run the demo: start the daemon on an empty storage, set it up through a vendor's API as a platform
# would (library, people, camera), and show what it recognises until Ctrl-C.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
polyfaced=${CARGO_TARGET_DIR:-$cache/target}/release/polyfaced
storage=$cache/demo/storage # as in demo.toml
log=$cache/demo/polyfaced.log
cd "$cache"

die() {
    printf 'demo: %s\n' "$*" >&2
    tail -n 15 "$log" >&2 || true
    exit 1
}

# ---- the daemon ---------------------------------------------------------------------------------

stop() {
    trap - EXIT INT TERM
    echo
    echo "demo: stopping"
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
}

rm -rf "$storage"
mkdir -p "$storage"
# In a session of its own: Ctrl-C reaches this script alone, which then ends the daemon in order.
setsid "$polyfaced" run --config "$here/demo.toml" --print-recognitions 2>"$log" &
daemon=$!
trap stop EXIT
trap 'exit 0' INT TERM

# Wait up to a minute for COMMAND to succeed, while the daemon lives.
until_true() { # WHAT COMMAND...
    local what=$1 left=300
    shift
    until "$@"; do
        kill -0 "$daemon" 2>/dev/null || die "the daemon ended"
        left=$((left - 1))
        [ $left -gt 0 ] || die "$what: not within a minute"
        sleep 0.2
    done
}

listener() { # NAME: its address
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
        "$storage/run/listeners.json" "$1"
}

healthy() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$console/healthz")" = 200 ]; }

echo "demo: starting the daemon (log: $log)"
until_true "the listeners" test -s "$storage/run/listeners.json"
console=$(listener console) api=$(listener sensetime)
until_true "health" healthy

# ---- set-up through the API ---------------------------------------------------------------------

session=0

# Send a JSON request given on standard input; print what FIELD of the answer's data holds.
call() { # FIELD ('' = the data itself)
    local answer
    answer=$(curl -s --max-time 30 -H "sessionid: $session" -H 'Content-Type: application/json' \
        --data-binary @- "http://$api/api/json")
    python3 -c '
import json, sys
answer, field = json.loads(sys.argv[1]), sys.argv[2]
if answer["code"] != 0:
    sys.exit("demo: refused with code {code}: {msg}".format(**answer))
print(answer["data"][field] if field else answer["data"])' "$answer" "$1"
}

enrol() { # LIBRARY NAME PHOTO
    {
        printf '{"msg_id":"1051","lib_id":%s,"person_name":"%s","img":{"filename":"%s","data":"' \
            "$1" "$2" "$(basename "$3")"
        base64 -w0 "$cache/photos/$3"
        printf '"}}'
    } | call img_id >/dev/null
    echo "demo: enrolled $2"
}

session=$(printf '{"msg_id":"257","user_name":"admin","user_pwd":"%s"}' \
    "$(cat "$storage/initial-password")" | call '')
library=$(echo '{"msg_id":"1025","lib_name":"staff","lib_type":2}' | call lib_id)
# Not the pictures that the clip shows, where there is another one.
enrol "$library" "Barack Obama" Barack_Obama/obama3.jpg
enrol "$library" "Joe Biden" Joe_Biden/biden.jpg
clip=$(python3 -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' demo/gate.mp4)
printf '{"msg_id":"513","protocol":"rtsp","camera_mode":"VIDEO","camera_name":"gate","url":"%s?loop=1",
    "lib_ids":"%s","threshold":80,"snap_mode":1}' "$clip" "$library" | call channel >/dev/null

cat <<END
demo: console      http://$console/      (user admin, password in $storage/initial-password)
demo: SenseTime    http://$api/api/json
demo: camera "gate" plays $cache/demo/gate.mp4; Ctrl-C ends the demo

END
wait "$daemon" || die "the daemon ended"
