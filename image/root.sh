#!/usr/bin/env bash
# Make a Debian 12 for arm64 with what a box needs except polyface itself, once, and print its folder. Needs root: its
# packages are configured by emulated programs.
# usage: image/root.sh FOLDER PACKAGE...      (PACKAGE: what the packages of polyface depend on)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

folder=$1
shift
mapfile -t listed < <(grep '^[a-z]' packages)
packages=("${listed[@]}" "$@")

# An entry for arm64 in the kernel's table of program formats; it holds the emulator open, so that it works in every root.
emulate() {
    local table=/proc/sys/fs/binfmt_misc
    if arch-test arm64 >/dev/null 2>&1; then return; fi
    [ -e $table/register ] || mount -t binfmt_misc binfmt_misc $table
    printf '%s:%s:%s\n' ':polyface-aarch64:M:' \
        '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
        "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$(command -v qemu-aarch64-static):OPF" \
        >$table/register
}

# The options of dpkg: what is left out, and the GStreamer plugins that are not.
options() {
    cat excluded
    sed -n 's#^\([a-z0-9]\+\)$#path-include=/usr/lib/*/gstreamer-1.0/libgst\1.so#p' ../packaging/plugins
}

# The machine's own sources of Debian: third-party ones may have no arm64.
sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
        if [ -s "$file" ]; then echo "$file"; fi
    done
}

# Whether the root has what the packages of polyface depend on.
is_complete() {
    local package
    for package in "${packages[@]}"; do
        dpkg-query --admindir="$root/var/lib/dpkg" --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || return 1
    done
}

recipe=$({
    options
    printf '%s\n' "bookworm minbase" "${listed[@]}"
} | sha256sum | cut -c1-12)
root=$folder/root-$recipe
emulate # also for what is installed into it
if ! is_complete; then
    printf 'image: making a Debian for arm64 (once, takes ten to twenty minutes)\n' >&2
    rm -rf "$folder"/root-*
    mkdir -p "$folder"
    options >"$folder/dpkg-options"
    mapfile -t files < <(sources)
    # Two programs would take minutes by emulation: dpkg leaves them out, so that links that do nothing stay in their places.
    # initramfs.sh does the work of one, the last hook that of the other.
    # shellcheck disable=SC2016 # $1 is the hook's
    timeout 7200 mmdebstrap --quiet --mode=root --arch=arm64 --variant=minbase --dpkgopt="$folder/dpkg-options" \
        --include="$(IFS=,; echo "${packages[*]}")" \
        --essential-hook='for name in update-initramfs update-ca-certificates; do ln -s /bin/true "$1/usr/sbin/$name"; done' \
        --customize-hook='cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"' \
        bookworm "$root.part" "${files[@]}" >&2
    mv "$root.part" "$root"
fi
echo "$root"
