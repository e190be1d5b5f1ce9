# A machine made of a clean Debian: started with its own systemd, without a network, and thrown away afterwards. Source
# it after setting `root` and `work` (a new folder) and defining `die`; call `clean_up` on exit.
# shellcheck shell=bash

machine= leader=

until_true() { # SECONDS WHAT COMMAND...
    local patience=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || die "$what: timed out after $patience s"
        sleep 0.2
    done
}

# Set `tree` to a writable copy of the clean Debian.
new_tree() { # NAME
    tree=$work/$1/tree
    mkdir -p "$work/$1"/{upper,work,tree}
    mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/$1/upper,workdir=$work/$1/work" "$tree"
}

# Run COMMAND in the tree that is not booted, as when an image is made.
in_tree() {
    timeout 600 unshare --mount --pid --fork --kill-child -- sh -c '
        mount -t proc proc "$1/proc" && shift && exec chroot "$@"' sh "$tree" "$tree" "$@"
}

# Run COMMAND in the booted machine.
inside() {
    timeout 600 nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- "$@"
}

find_leader() { leader=$(pgrep --parent "$machine" | head -n 1) && [ -n "$leader" ]; }

# With a unit that fails the state is "degraded".
has_booted() { case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) ;; *) false ;; esac }

boot() {
    systemd-nspawn --quiet --directory="$tree" --register=no --keep-unit --private-network --boot \
        </dev/null >"$work/console" 2>&1 &
    machine=$!
    until_true 30 "starting a machine" find_leader
    until_true 120 "booting a machine" has_booted
}

has_ended() { ! kill -0 "$machine" 2>/dev/null; }

power_off() {
    [ -n "$machine" ] || return 0
    kill -TERM "$machine" 2>/dev/null || true
    local end=$((SECONDS + 60))
    until has_ended || [ $SECONDS -ge $end ]; do sleep 0.2; done
    kill -KILL "$machine" ${leader:+"$leader"} 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
    machine= leader=
}

clean_up() {
    power_off
    local mount
    for mount in "$work"/*/tree; do
        if mountpoint -q "$mount"; then umount --lazy "$mount"; fi
    done
    rm -rf "$work"
}
