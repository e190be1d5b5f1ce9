#!/usr/bin/env bash
# Make a clean Debian 12 with what the packages depend on, once, and print its folder.
# usage: packaging/test/root.sh FOLDER PACKAGE...
set -euo pipefail

folder=$1
shift
# What boots it, and what decides over the daemon's rights.
packages=(systemd-sysv dbus polkitd "$@")

recipe=$(printf '%s\n' "$(sha256sum <"${BASH_SOURCE[0]}")" "${packages[@]}" | sha256sum | cut -c1-12)
root=$folder/root-$recipe
if [ ! -d "$root" ]; then
    # The machine's own sources of Debian: third-party ones have nothing for this.
    sources=()
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
        if [ -s "$file" ]; then sources+=("$file"); fi
    done
    printf 'package-test: making a clean Debian (once, takes some minutes)\n' >&2
    rm -rf "$folder"/root-*
    timeout 1800 mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
        bookworm "$root.part" "${sources[@]}" >&2
    mv "$root.part" "$root"
fi
echo "$root"
