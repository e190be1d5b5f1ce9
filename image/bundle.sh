#!/usr/bin/env bash
# Make an upgrade bundle: the file system of a slot, signed, whose every block the box verifies while it reads it.
# usage: image/bundle.sh FILE SYSTEM OF THE SLOT, VERSION, CERTIFICATE, KEY, RESULT
set -euo pipefail

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
slot=$1 version=$2 certificate=$3 key=$4 result=$5

work=$(mktemp -d "$cache/image/bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/content"
ln "$slot" "$work/content/rootfs.ext4" 2>/dev/null || cp --reflink=auto "$slot" "$work/content/rootfs.ext4"
cat >"$work/content/manifest.raucm" <<END_OF_MANIFEST
[update]
compatible=polyface-generic-arm64
version=$version

[bundle]
format=verity

[image.rootfs]
filename=rootfs.ext4
END_OF_MANIFEST
rauc bundle --cert="$certificate" --key="$key" --mksquashfs-args="-comp zstd -Xcompression-level ${LEVEL:-15} -quiet -no-progress" \
    "$work/content" "$work/bundle" >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
mv "$work/bundle" "$result"
