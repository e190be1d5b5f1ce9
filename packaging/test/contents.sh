#!/usr/bin/env bash
# Check what is in the packages: lintian, size, secrets, the manual pages, the bill of materials, the debug symbols.
# usage: packaging/test/contents.sh FOLDER PACKAGE...      packages are unpacked into the empty FOLDER
set -euo pipefail

folder=$1
shift
largest_daemon=$((12 * 1024 * 1024))

die() { printf 'package-test: %s\n' "$*" >&2; exit 1; }

unprivileged() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi
}

# Lintian does not run as root, and reads the packages in a folder that everybody may enter.
check_with_lintian() {
    local copy tags
    copy=$(mktemp -d)
    chmod 755 "$copy"
    cp "$@" "$copy/"
    tags=$(cd "$copy" && unprivileged env HOME=/nonexistent TMPDIR=/tmp timeout 600 lintian --no-cfg -- *.deb 2>&1) || true
    rm -rf "$copy"
    [ -z "$tags" ] || die "lintian says:"$'\n'"$tags"
}

check_size() {
    local size
    size=$(stat --format=%s "$1")
    [ "$size" -le "$largest_daemon" ] || die "$(basename "$1") has $size bytes, at most $largest_daemon are allowed"
}

check_secrets() {
    local found
    found=$(find "$folder" -name machine-id -o -name authorized_keys -o -name '*.key' -o -name '*.pem' \
        -o -name credential.secret -o -name '*store-key')
    [ -z "$found" ] || die "a package has the secret $found"
    found=$(grep -rIl 'PRIVATE KEY-----' "$folder" || true)
    [ -z "$found" ] || die "a package has a private key in $found"
    found=$(grep -rIlE '[0-9A-Fa-f]{64}' "$folder/polyface/etc" || true)
    [ -z "$found" ] || die "the configuration $found has 64 hexadecimal digits, which could be a key"
}

# Each command of the program has a manual page.
check_manual() {
    local command commands
    commands=$("$folder/polyface/usr/bin/polyfaced" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | grep -vx help)
    [ -n "$commands" ] || die "polyfaced --help lists no commands"
    for command in $commands; do
        [ -e "$folder/polyface/usr/share/man/man8/polyfaced-$command.8.gz" ] || die "$command has no manual page"
    done
}

# The crates of the daemon, with their versions, in a form that tools read.
check_bill_of_materials() {
    python3 - "$folder/polyface/usr/share/doc/polyface/crates.cdx.json" <<'END' || die "the bill of materials is not what it should be"
import json, sys

with open(sys.argv[1]) as file:
    bill = json.load(file)
assert bill["bomFormat"] == "CycloneDX", bill["bomFormat"]
assert bill["metadata"]["component"]["name"] == "daemon", bill["metadata"]["component"]
components = {component["name"]: component for component in bill["components"]}
for name in ("domain", "tokio", "rusqlite", "libsqlite3-sys", "rustls"):
    assert components[name]["version"] and components[name]["purl"].startswith("pkg:cargo/"), name
assert len(components) > 300, f"only {len(components)} crates are listed"
END
}

check_symbols() {
    local program=$folder/polyface/usr/bin/polyfaced id debug sections
    # Read to its end: a reader that stops early ends readelf, which is then taken for a failure.
    sections=$(readelf --sections --wide "$program")
    [[ $sections != *.debug_info* ]] || die "the daemon is not stripped"
    id=$(readelf --notes "$program" | sed -n 's/.*Build ID: //p')
    debug=$folder/polyface-dbgsym/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
    # It complains that a file of symbols names no interpreter.
    sections=$(readelf --sections --wide "$debug" 2>/dev/null || true)
    [[ $sections == *.debug_line* ]] || die "polyface-dbgsym has no lines for build id $id"
}

for package in "$@"; do
    dpkg-deb --raw-extract "$package" "$folder/$(dpkg-deb --field "$package" Package)"
done
check_with_lintian "$@"
check_size "$1"
check_secrets
check_bill_of_materials
check_symbols
# Only this machine's program can be run here.
if [ "$(dpkg-deb --field "$1" Architecture)" = "$(dpkg --print-architecture)" ]; then check_manual; fi
