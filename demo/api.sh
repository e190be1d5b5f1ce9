# For scripts that start a daemon and set it up through the SenseNebula-M interface, as a platform would. Source it
# after setting `storage` (the storage directory) and `daemon` (the process id) and defining `die`.
# shellcheck shell=bash

# Wait until COMMAND succeeds, at most $patience seconds; fail when the daemon ends.
patience=${patience:-60}
until_true() { # WHAT COMMAND...
    local what=$1 end=$((SECONDS + patience))
    shift
    until "$@"; do
        kill -0 "$daemon" 2>/dev/null || die "the daemon ended"
        [ $SECONDS -lt $end ] || die "$what: timed out after $patience s"
        sleep 0.2
    done
}

# Print the address that serves an adapter.
listener() { # NAME
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
        "$storage/run/listeners.json" "$1"
}

healthy() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$console/healthz")" = 200 ]; }

# Wait until the daemon is healthy; set `console` and `api` to its addresses.
await_daemon() {
    until_true "waiting for the listeners" test -s "$storage/run/listeners.json"
    console=$(listener console)
    api=$(listener sensetime)
    until_true "waiting for health" healthy
}

# Send the JSON request from standard input; print FIELD of the answer's data.
session=0
call() { # FIELD ('': all data; a.b: b in a)
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

# Log in with the password that the daemon created for its first account.
login() {
    session=$(printf '{"msg_id":"257","user_name":"admin","user_pwd":"%s"}' \
        "$(cat "$storage/initial-password")" | call '')
}

# Print a picture in the form that the API accepts: base64.
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
