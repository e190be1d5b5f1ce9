#!/usr/bin/env bash
# Build the disk image and the upgrade bundle of the generic ARM64 box from the packages of `make package ARCH=aarch64`.
# Needs root.
# usage: image/build.sh
#   RAUC_CA     certificate of whoever may sign upgrades, which boxes are given (PEM; default: one made for tests)
#   RAUC_CERT   certificate of the signer, and
#   RAUC_KEY    its key (PEM or a pkcs11 address): without them, and with RAUC_CA, no bundle is made
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
[ "$(id -u)" = 0 ] ||
    exec sudo POLYFACE_CACHE="$cache" SLOT_SIZE="${SLOT_SIZE:-}" RAUC_CA="${RAUC_CA:-}" RAUC_CERT="${RAUC_CERT:-}" RAUC_KEY="${RAUC_KEY:-}" "$0" "$@"
folder=$cache/image

say() { printf 'image: %s\n' "$*"; }
die() { printf 'image: %s\n' "$*" >&2; exit 1; }
first_version() { sed -n 's/^version = "\(.*\)"/\1/p' "$1" | head -n 1; }

version=$(first_version Cargo.toml)
runtime=$(first_version models/runtime.toml)
packages=("$cache/packages/polyface_${version}_arm64.deb" "$cache/packages/polyface-models_${version}_all.deb"
    "$cache/packages/polyface-onnxruntime_${runtime}_arm64.deb")
for package in "${packages[@]}"; do
    [ -e "$package" ] || die "$package is missing: run make cross, then make package ARCH=aarch64"
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

authority=${RAUC_CA:-} certificate=${RAUC_CERT:-} key=${RAUC_KEY:-}
if [ -z "$authority" ]; then
    image/authority.sh "$folder/test-authority"
    authority=$folder/test-authority/ca.pem certificate=$folder/test-authority/signer.pem key=$folder/test-authority/signer.key
    say "without RAUC_CA: boxes with this image take every bundle that a test key has signed"
fi
openssl x509 -in "$authority" -noout 2>/dev/null || die "$authority is no certificate"

# shellcheck disable=SC2016 # expanded by dpkg-deb
mapfile -t needed < <(dpkg-deb --show --showformat='${Depends}\n' "${packages[@]}" | tr ',' '\n' |
    sed -n 's/^ *\([a-z0-9.+-]*\).*/\1/p' | grep -v '^polyface' | sort -u)
root=$(image/root.sh "$folder" "${needed[@]}")

# ---- the tree of a slot ---------------------------------------------------------------------------

mkdir -p "$folder"
work=$(mktemp -d "$folder/work.XXXXXX")
leader=
# shellcheck source=packaging/test/machine.sh
source packaging/test/machine.sh
trap clean_up EXIT
trap 'exit 1' INT TERM

say "installing polyface"
new_tree slot
image/tree.sh "$tree" "polyface-generic-arm64=$version" "$authority" "${packages[@]}"
say "checking the contents"
image/check.sh "$tree"

# ---- what is given away ---------------------------------------------------------------------------

name=$folder/polyface-generic-arm64-$version
say "making the file system, the disk image and the bundle"
image/filesystem.sh "$tree" "$work/rootfs.ext4"
cp "$tree/usr/share/doc/polyface/debian.cdx.json" "$work/debian.cdx.json"
image/disk.sh "$work/rootfs.ext4" "$work/disk.img"
rm -f "$name".{img,raucb,ext4,cdx.json}
if [ -n "$certificate" ] && [ -n "$key" ]; then
    image/bundle.sh "$work/rootfs.ext4" "$version" "$certificate" "$key" "$name.raucb"
else
    say "without RAUC_CERT and RAUC_KEY: no bundle"
fi
mv "$work/disk.img" "$name.img"
mv "$work/rootfs.ext4" "$name.ext4"
mv "$work/debian.cdx.json" "$name.cdx.json"
say "complete in $folder after $SECONDS s:"
du --human-readable --apparent-size "$name".* | sed "s#$folder/##"
