#!/usr/bin/env bash
# Start the disk image on an emulated ARM64 board and play the life of a box: first start, people recognised from a film, an
# upgrade to a version that is sick and falls back by itself, one to a good version, power off; then check the slots. About
# eleven minutes on two cores. Everything listens on loopback only.
# usage: image/emulate.sh      (after image/build.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=$cache/image/polyface-generic-arm64-$version
signer=${RAUC_CERT:-$cache/image/test-authority/signer.pem} key=${RAUC_KEY:-$cache/image/test-authority/signer.key}
work=$cache/emulate
# Where image/disk.sh puts the parts: MiB.
boot_start=1

say() { printf 'emulate: %s\n' "$*"; }
die() { printf 'emulate: %s\n' "$*" >&2; exit 1; }
for file in "$name.img" "$name.ext4" "$signer" "$key"; do
    [ -e "$file" ] || die "$file is missing: run make image"
done

rm -rf "$work"
mkdir -p "$work/setup"

# ---- a film that an emulated processor can decode: the demo's, at half its speed, small, six pictures a second -------------

make_film() {
    ffmpeg -hide_banner -loglevel error -y -i "$cache/demo/gate.mp4" -an -vf 'setpts=2*PTS,scale=640:360,fps=6' \
        -c:v libx264 -preset veryfast -profile:v baseline -crf 22 -g 6 -pix_fmt yuv420p "$work/film.mp4"
}

# ---- versions -------------------------------------------------------------------------------------

# A copy of the slot's file system that says another version.
new_version() { # VERSION FILE
    cp --sparse=always "$name.ext4" "$2"
    debugfs -R 'cat /usr/lib/os-release' "$2" 2>/dev/null | sed "s/^IMAGE_VERSION=.*/IMAGE_VERSION=$1/" >"$work/os-release"
    debugfs -w -f - "$2" >/dev/null 2>&1 <<COMMANDS
rm /usr/lib/os-release
cd /usr/lib
write $work/os-release os-release
COMMANDS
    debugfs -R 'cat /usr/lib/os-release' "$2" 2>/dev/null | grep -qx "IMAGE_VERSION=$1" || die "no version $1 can be made"
}

make_bundles() {
    export LEVEL=3
    new_version 99.0.1 "$work/sick.ext4"
    debugfs -w -R 'rm /usr/share/polyface/models/sets.toml' "$work/sick.ext4" >/dev/null 2>&1
    image/bundle.sh "$work/sick.ext4" 99.0.1 "$signer" "$key" "$work/sick.raucb"
    new_version 99.0.2 "$work/good.ext4"
    image/bundle.sh "$work/good.ext4" 99.0.2 "$signer" "$key" "$work/good.raucb"
    image/authority.sh "$work/foreign" "somebody else"
    image/bundle.sh "$work/good.ext4" 99.0.3 "$work/foreign/signer.pem" "$work/foreign/signer.key" "$work/foreign.raucb"
    rm "$work/sick.ext4"
}

# ---- the medium: settings as an installer gives them, room to grow, and a service that carries out commands ---------------

make_medium() {
    cp --sparse=always "$name.img" "$work/disk.img"
    truncate --size=+1G "$work/disk.img"
    head -c 12 /dev/urandom | base64 >"$work/password"
    cp "$work/password" "$work/setup/password"
    cat >"$work/setup/polyface.toml" <<'SETTINGS'
[accounts]
admin_password_file = "/etc/polyface/password"
[models]
set = "small" # an emulated network is slow
[vision]
detect_every_ms = 500
[host]
keep_after_s = 20
[console]
listen = "0.0.0.0:8000"
clear = "allow"
[sensetime]
enabled = true
listen = "0.0.0.0:8080"
clear = "allow"
SETTINGS
    mcopy -i "$work/disk.img@@${boot_start}M" "$work"/setup/* ::/setup/
}

# Put the service onto the data partition, where the box keeps what differs from its slot's /etc.
add_service() { # PORT
    local data sectors
    sectors=$(sfdisk --json "$work/disk.img" | python3 -c 'import json, sys
print(json.load(sys.stdin)["partitiontable"]["partitions"][3]["start"])')
    data="$work/disk.img?offset=$((sectors * 512))"
    cat >"$work/orders" <<ORDERS
#!/bin/sh
while :; do
    order=\$(timeout 30 busybox wget -q -O - http://10.0.2.2:$1/next 2>/dev/null) || sleep 1
    [ -n "\$order" ] || continue
    sh -c "\$order" >/run/outcome 2>&1 </dev/null
    timeout 30 busybox wget -q -O /dev/null --post-file=/run/outcome http://10.0.2.2:$1/done
done
ORDERS
    chmod 755 "$work/orders"
    printf '%s\n' '[Unit]' 'After=dbus.service' '[Service]' 'ExecStart=/etc/orders' 'Restart=always' >"$work/orders.service"
    debugfs -w -f - "$data" >"$work/debugfs.log" 2>&1 <<COMMANDS
mkdir /etc
mkdir /etc/changes
mkdir /etc/changes/systemd
mkdir /etc/changes/systemd/system
mkdir /etc/changes/systemd/system/multi-user.target.wants
cd /etc/changes
write $work/orders orders
cd /etc/changes/systemd/system
write $work/orders.service orders.service
cd /etc/changes/systemd/system/multi-user.target.wants
symlink orders.service /etc/systemd/system/orders.service
COMMANDS
}

# ---- checks of what is left -----------------------------------------------------------------------

check_slots() {
    local size start found
    start=$(sfdisk --json "$work/disk.img" | python3 -c 'import json, sys
print(json.load(sys.stdin)["partitiontable"]["partitions"][2]["start"])')
    size=$(stat --format=%s "$work/good.ext4")
    cmp --bytes="$size" --ignore-initial="$((start * 512)):0" "$work/disk.img" "$work/good.ext4" || die "slot B is not the good version"
    mcopy -n -i "$work/disk.img@@${boot_start}M" ::/grub/grubenv "$work/grubenv"
    found=$(grub-editenv "$work/grubenv" list | sort | tr '\n' ' ')
    case $found in
    *"B_OK=1 B_TRY=0 "*"ORDER=B A "*) ;;
    *) die "GRUB's environment is $found" ;;
    esac
    say "slot B equals the good version; GRUB: $found"
}

demo/clip.sh
say "making film, versions and medium"
make_film
make_bundles
make_medium
# The camera ends with its standard input.
coproc camera { exec /usr/bin/python3 crates/testkit/rtsp_server.py --transport tcp "$work/film.mp4"; }
read -r _ camera_port <&"${camera[0]}"
orders_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
add_service "$orders_port"
python3 image/emulate/run.py "$work" "$cache/photos" "rtsp://10.0.2.2:$camera_port/live" "$orders_port"
check_slots
rm -f "$work"/*.{raucb,ext4}
say "passed after $SECONDS s"
