#!/usr/bin/env bash
# Make the initramfs of a tree: BusyBox, the examination of ext4, modules that find the medium. Made here and not by Debian's
# own tools, because these would run for minutes under emulation.
# usage: image/initramfs.sh TREE FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tree=$1 result=$2
kernels=("$tree"/lib/modules/*)
kernel=$(basename "${kernels[0]}")

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Put a program or library, the libraries that it names, and those that these name.
put() { # FILE TARGET
    local name libraries=usr/lib/aarch64-linux-gnu
    [ -e "$tree/$1" ] || { echo "image: the root has no $1 for the initramfs" >&2; exit 1; }
    install -D -m 0755 "$tree/$1" "$stage/$2"
    while read -r name; do
        [ -e "$stage/lib/$name" ] || put "$libraries/$name" "lib/$name"
    done < <(readelf --dynamic "$tree/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
}

put_modules() {
    local entry folder=lib/modules/$kernel
    while read -r entry; do
        [ -e "$tree/$folder/kernel/$entry" ] || continue
        mkdir -p "$stage/$folder/kernel/$(dirname "$entry")"
        cp -r "$tree/$folder/kernel/$entry" "$stage/$folder/kernel/$(dirname "$entry")/"
    done < <(grep '^[a-z]' initramfs/modules)
    cp "$tree/$folder"/modules.{order,builtin,builtin.modinfo} "$stage/$folder/"
    /sbin/depmod --basedir "$stage" "$kernel" 2>/dev/null
}

mkdir -p "$stage"/{bin,sbin,dev,proc,sys,run,root,lib}
install -m 0755 initramfs/init "$stage/init"
put bin/busybox bin/busybox
put sbin/e2fsck sbin/e2fsck
put_modules
find "$stage" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
(cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --quiet --null --create --format=newc --owner=0:0) |
    zstd -q -f -9 -o "$result"
