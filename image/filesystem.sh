#!/usr/bin/env bash
# Make the file system of a slot from a tree: ext4 that is only read, as small as it can be. Needs root.
# usage: image/filesystem.sh TREE FILE
set -euo pipefail

tree=$1 result=$2
# What ext4 needs beyond the files' own blocks, generously: inodes, directories, bitmaps.
size=$(($(du --summarize --block-size=1M "$tree" | cut -f1) * 107 / 100 + 24))
files=$(find "$tree" -xdev | wc -l)

rm -f "$result"
# The same tree makes the same file system: its identifiers come from no random source.
mkfs.ext4 -q -F -d "$tree" -L polyface-root -b 4096 -m 0 -N $((files + 64)) -O '^has_journal,^metadata_csum_seed' \
    -U 706f6c79-6661-4365-8000-000000000001 -E hash_seed=706f6c79-6661-4365-8000-000000000002 "$result" "${size}M" >/dev/null
e2fsck -fn "$result" >/dev/null 2>&1 || { echo "image: the file system of the slot is broken" >&2; exit 1; }
