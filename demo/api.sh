# Sourced by scripts that start a daemon and set it up as a platform would, through the SenseTime
# API. They set `storage` (its storage folder) and `daemon` (its process id), and define `die`.
# shellcheck shell=bash

# Wait until COMMAND succeeds, while the daemon lives, for at most $patience seconds.
patience=${patience:-60}
until_true() { # WHAT COMMAND...
    local what=$1 end=$((SECONDS + patience))
    shift
    until "$@"; do
        kill -0 "$daemon" 2>/dev/null || die "the daemon ended"
        [ $SECONDS -lt $end ] || die "$what: not within $patience s"
        sleep 0.2
    done
}

# The address an adapter is served on.
listener() { # NAME
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
        "$storage/run/listeners.json" "$1"
}

healthy() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$console/healthz")" = 200 ]; }

# Wait until the daemon serves; sets `console` and `api`, their addresses.
await_daemon() {
    until_true "listening" test -s "$storage/run/listeners.json"
    console=$(listener console)
    api=$(listener sensetime)
    until_true "being healthy" healthy
}

# Send the JSON request given on standard input; print what FIELD of the answer's data holds.
session=0
call() { # FIELD ('' = the data itself; a.b = b in a)
    local answer
    answer=$(curl -s --max-time "$patience" -H "sessionid: $session" \
        -H 'Content-Type: application/json' --data-binary @- "http://$api/api/json") || die "the API does not answer"
    python3 -c '
import json, sys
answer, path = json.loads(sys.argv[1]), sys.argv[2]
if answer["code"] != 0:
    sys.exit("refused with code {code}: {msg}".format(**answer))
data = answer["data"]
for field in filter(None, path.split(".")):
    data = data[field]
print(data)' "$answer" "$1"
}

# Log in with the password that the daemon made for its first account.
login() {
    session=$(printf '{"msg_id":"257","user_name":"admin","user_pwd":"%s"}' \
        "$(cat "$storage/initial-password")" | call '')
}

# A picture as the API takes it, in base64.
picture() { # FILE
    printf '{"filename":"%s","data":"' "$(basename "$1")"
    base64 -w0 "$1"
    printf '"}'
}

enrol() { # LIBRARY NAME PHOTO
    {
        printf '{"msg_id":"1051","lib_id":%s,"person_name":"%s","img":' "$1" "$2"
        picture "$3"
        printf '}'
    } | call img_id >/dev/null
}
