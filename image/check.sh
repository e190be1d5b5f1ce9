#!/usr/bin/env bash
# Check what is in a tree for a slot: nothing secret or of one box alone, no password, every library that is needed. Needs root.
# usage: image/check.sh TREE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tree=$1

die() { printf 'image: %s\n' "$*" >&2; exit 1; }
# shellcheck source=packaging/test/machine.sh
source ../packaging/test/machine.sh

check_secrets() {
    local found
    [ -e "$tree/etc/machine-id" ] || die "/etc/machine-id must exist"
    [ ! -s "$tree/etc/machine-id" ] || die "/etc/machine-id must be empty"
    found=$(find "$tree" -xdev \( -name authorized_keys -o -name 'ssh_host_*' -o -name credential.secret -o -name random-seed \
        -o -name '*store-key' -o -name '*.key' -o -name seal.keys -o -name initial-password \) -not -path '*/usr/share/doc/*')
    [ -z "$found" ] || die "the image has the secret $found"
    found=$(grep -rIl --exclude-dir=proc 'PRIVATE KEY-----' "$tree" || true)
    [ -z "$found" ] || die "the image has a private key in $found"
    found=$(grep -rIlE '[0-9A-Fa-f]{64}' "$tree/etc/polyface" || true)
    [ -z "$found" ] || die "the configuration $found has 64 hexadecimal digits, which could be a key"
}

check_accounts() {
    local found
    found=$(cut -d: -f1,2 "$tree/etc/shadow" | grep -vE ':[*!]' || true)
    [ -z "$found" ] || die "accounts of the image have a password: ${found//$'\n'/, }"
    found=$(awk -F: '$2 != "x"' "$tree/etc/passwd")
    [ -z "$found" ] || die "accounts of the image need no password: $found"
}

# Nothing that is left out may be needed by what is kept.
check_libraries() {
    local missing
    # shellcheck disable=SC2016 # expanded inside
    missing=$(in_tree sh -c '
        for file in /usr/bin/polyfaced /usr/lib/polyface/libonnxruntime.so /usr/lib/polyface/gstreamer-1.0/* \
            /usr/bin/rauc /usr/bin/grub-editenv /usr/sbin/resize2fs /usr/sbin/sfdisk; do
            [ ! -e "$file" ] || ldd "$file" 2>/dev/null | sed -n "s#^\t*\(.*\) => not found#$(basename "$file") needs \1#p"
        done' | sort -u)
    [ -z "$missing" ] || die "the image lacks libraries:"$'\n'"$missing"
    [ "$(find "$tree/usr/lib/polyface/gstreamer-1.0/" -name '*.so' | wc -l)" -ge 9 ] || die "the image lacks GStreamer plugins"
}

# A name of a plugin that is in no package of Debian may point to nothing; the first nine are needed.
check_plugins() {
    local name
    for name in app coreelements playback typefindfunctions videoconvertscale videoparsersbad libav isomp4 matroska; do
        [ -e "$tree/usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgst$name.so" ] || die "the image lacks the plugin $name"
    done
}

check_folders() {
    local folder
    for folder in boot/efi data dev etc/polyface proc root run sys tmp var/lib var/log var/tmp; do
        [ -d "$tree/$folder" ] || die "the image has no folder /$folder"
    done
    for file in boot/vmlinuz boot/initrd.img usr/share/doc/polyface/debian.cdx.json; do
        [ -s "$tree/$file" ] || die "the image has no /$file"
    done
}

check_secrets
check_accounts
check_folders
check_plugins
check_libraries
