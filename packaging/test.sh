#!/usr/bin/env bash
# Check the packages of this architecture: their contents, and their life in a clean Debian 12 with the real unit: install,
# upgrade, refused downgrade, upgrade by a signed package, remove, erase, purge. Takes about a minute, the first time ten. Needs root.
# usage: packaging/test.sh      (after make package)
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
[ "$(id -u)" = 0 ] || exec sudo POLYFACE_CACHE="$cache" "$0" "$@"

say() { printf 'package-test: %s\n' "$*"; }
die() {
    if [ -n "$leader" ]; then inside journalctl --no-pager --lines=30 --unit='polyface*' >&2 || true; fi
    printf 'package-test: %s\n' "$*" >&2
    exit 1
}

first_version() { sed -n 's/^version = "\(.*\)"/\1/p' "$1" | head -n 1; }
version=$(first_version Cargo.toml)
runtime=$(first_version models/runtime.toml)
arch=$(dpkg --print-architecture)
daemon=$cache/packages/polyface_${version}_$arch.deb
symbols=$cache/packages/polyface-dbgsym_${version}_$arch.deb
packages=("$daemon" "$cache/packages/polyface-models_${version}_all.deb"
    "$cache/packages/polyface-onnxruntime_${runtime}_$arch.deb")
for package in "${packages[@]}" "$symbols"; do
    [ -e "$package" ] || { echo "package-test: $package is missing: run make package" >&2; exit 1; }
done

mkdir -p "$cache/package-test"
work=$(mktemp -d "$cache/package-test/work.XXXXXX")
# shellcheck source=packaging/test/machine.sh
source packaging/test/machine.sh
trap clean_up EXIT
trap '[ $BASHPID != $$ ] || die "line $LINENO failed: $BASH_COMMAND"' ERR
trap 'exit 1' INT TERM

# ---- the service in the machine -------------------------------------------------------------------


# The machine has no curl: this machine's, in the machine's network.
health() {
    nsenter --target "$leader" --net -- curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' \
        http://127.0.0.1:8000/healthz
}
is_healthy() { [ "$(health)" = 200 ]; }
await_health() { until_true 120 "waiting for /healthz" is_healthy; }
invocation() { inside systemctl show --property=InvocationID --value polyface; }
stored() { inside polyfaced schema --stored; }

# A copy of the daemon's package with another version and, in it, another highest version of the database. Its own
# configuration differs from that of the original.
repack() { # VERSION SCHEMA
    local folder=$work/repacked-$1
    dpkg-deb --raw-extract "$daemon" "$folder"
    sed -i "s/^Version: .*/Version: $1/" "$folder/DEBIAN/control"
    sed -i "s/^version=.*/version=$1/; s/^supported=.*/supported=$2/" "$folder/DEBIAN/preinst"
    echo "# of version $1" >>"$folder/etc/polyface/polyface.toml"
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$folder" "$work/polyface_$1.deb" >/dev/null
    rm -r "$folder"
}

give() { # FILE...: put files where the machine's dpkg finds them
    mkdir -p "$tree/srv/packages"
    cp "$@" "$tree/srv/packages/"
}

# As unattended upgrades do it: what the owner has changed in the configuration stays.
install_in() { # in_tree|inside FILE...
    local where=$1
    shift
    "$where" env DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --install \
        "${@/#//srv/packages/}" >"$work/dpkg" 2>&1
}

install() { install_in inside "$@" || die "dpkg --install $* failed:"$'\n'"$(cat "$work/dpkg")"; }

refuse() { # FILE
    if install_in inside "$1"; then die "dpkg installed $1 over a newer database"; fi
    grep -q "the database has version $schema, polyface 0.0.1 supports versions up to $((schema - 1))" "$work/dpkg" ||
        die "the refusal of $1 does not name both versions:"$'\n'"$(cat "$work/dpkg")"
}

# ---- tests ----------------------------------------------------------------------------------------

check_service() {
    local status pid libraries missing
    pid=$(inside systemctl show --property=MainPID --value polyface)
    status=$(inside cat "/proc/$pid/status")
    grep -q '^CapEff:[[:space:]]*0*$' <<<"$status" || die "the daemon has capabilities"
    grep -q '^Seccomp:[[:space:]]*2$' <<<"$status" || die "the daemon's system calls are not filtered"
    [ "$(inside stat --format='%U %a' /var/lib/polyface)" = "polyface 700" ] || die "others may read /var/lib/polyface"
    [ "$(inside stat --format='%U:%G %a' /etc/polyface/polyface.toml)" = "root:polyface 640" ] ||
        die "others may read /etc/polyface/polyface.toml"
    [ "$(inside stat --format='%U %a' /etc/credstore.encrypted/polyface.store-key)" = "root 600" ] ||
        die "others may read the storage key"
    inside test -e /var/lib/polyface/seal.keys || die "the storage is not sealed"
    if inside test -e /var/lib/polyface.key; then die "the storage key is a file beside the storage"; fi
    for group in video render audio dialout input; do
        inside id --groups --name polyface | grep -qw "$group" || die "polyface is not in the group $group"
    done
    # Without links to plugins that the machine lacks.
    libraries=$(inside find -L /usr/bin/polyfaced /usr/lib/polyface -type f -exec ldd {} +)
    missing=$(grep 'not found' <<<"$libraries" || true)
    [ -z "$missing" ] || die "libraries are missing:"$'\n'"$missing"
}

check_plugins() {
    local plugin registry=$tree/var/lib/polyface/gst.registry
    for plugin in coreelements app playback typefindfunctions videoconvertscale videoparsersbad libav isomp4 matroska; do
        grep -qa "polyface/gstreamer-1.0/libgst$plugin.so" "$registry" || die "the GStreamer plugin $plugin is not there"
    done
    if grep -qa 'linux-gnu/gstreamer-1.0/' "$registry"; then die "GStreamer loads plugins that polyface does not use"; fi
}

# ONNX Runtime keeps its telemetry in a folder of its own.
check_telemetry() {
    local found
    found=$(inside find / -xdev -name .onnxruntime)
    [ -z "$found" ] || die "ONNX Runtime collects telemetry in $found"
}

# Platforms may set clock and network and have packages installed through the daemon, and nobody else may.
check_rights() {
    local set_zone=(busctl call org.freedesktop.timedate1 /org/freedesktop/timedate1 org.freedesktop.timedate1 SetTimezone
        sb Asia/Shanghai false)
    local write_network=(touch /etc/systemd/network/05-polyface-none.network)
    local start=(busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager
        StartUnit ss)
    local install_packages=("${start[@]}" polyface-upgrade.service replace)
    for act in set_zone write_network install_packages; do
        local -n command=$act
        if inside setpriv --reuid=65534 --regid=65534 --clear-groups "${command[@]}" 2>/dev/null; then
            die "everybody may: ${command[*]}"
        fi
        inside setpriv --reuid=polyface --regid=polyface --init-groups "${command[@]}" ||
            die "polyface may not: ${command[*]}"
    done
    inside rm /etc/systemd/network/05-polyface-none.network
    if inside setpriv --reuid=polyface --regid=polyface --init-groups "${start[@]}" systemd-tmpfiles-clean.service replace \
        2>/dev/null; then
        die "polyface may start other units"
    fi
}

test_image() {
    say "installing without a running system, then booting"
    new_tree image
    give "${packages[@]}"
    install_in in_tree "${names[@]}" || die "dpkg --install failed without a running system:"$'\n'"$(cat "$work/dpkg")"
    boot
    await_health
    power_off
}

test_install() {
    say "installing into a running system"
    new_tree life
    boot
    give "${packages[@]}"
    install "${names[@]}"
    await_health
    inside systemctl is-enabled --quiet polyface || die "the service does not start with the machine"
    check_service
    check_plugins
    check_telemetry
    check_rights
    schema=$(stored)
}

test_upgrade() {
    say "upgrading"
    local before
    before=$(invocation)
    inside sed -i 's/^#name = "polyface"/name = "gate"/' /etc/polyface/polyface.toml
    repack 99.0.0 "$schema"
    give "$work/polyface_99.0.0.deb"
    install polyface_99.0.0.deb
    await_health
    [ "$(invocation)" != "$before" ] || die "the upgrade did not restart the service"
    inside grep -q '^name = "gate"' /etc/polyface/polyface.toml || die "the upgrade changed the owner's configuration"
    [ "$(inside stat --format='%U:%G %a' /etc/polyface/polyface.toml)" = "root:polyface 640" ] ||
        die "the upgrade changed the rights of the configuration"
}

test_downgrade() {
    say "downgrading"
    local before
    repack 0.0.1 $((schema - 1))
    give "$work/polyface_0.0.1.deb"
    before=$(invocation)
    refuse polyface_0.0.1.deb
    is_healthy || die "the refused downgrade stopped the service"
    [ "$(invocation)" = "$before" ] || die "the refused downgrade restarted the service"
    [ -z "$(inside dpkg --audit)" ] || die "the refused downgrade left a package half installed"
    # To a version that supports the database.
    install "${names[0]}"
    await_health
    inside grep -q '^name = "gate"' /etc/polyface/polyface.toml || die "the downgrade changed the owner's configuration"
}

# Ask the machine's SenseNebula-M interface.
ask() { # PATH CURL-ARGUMENT...
    local path=$1
    shift
    nsenter --target "$leader" --net -- curl --silent --show-error --max-time 300 "$@" "http://127.0.0.1:8080/api/$path"
}

# A package as platforms send it, signed with a key of its own; the machine takes that key.
sign_package() { # DEB VERSION
    minisign -G -W -p "$work/upgrade.pub" -s "$work/upgrade.key" >/dev/null
    tar --create --file="$work/upgrade" --directory="$(dirname "$1")" "$(basename "$1")"
    minisign -S -m "$work/upgrade" -s "$work/upgrade.key" -t "polyface $2" >/dev/null
    cat "$work/upgrade" "$work/upgrade.minisig" >"$work/upgrade.package"
    inside sed -i "s#^\[host\]#&\nupgrade_key = \"$(tail -n 1 "$work/upgrade.pub")\"\nkeep_after_s = 5#
        s#^\[sensetime\]#&\nenabled = true\nlisten = \"127.0.0.1:8080\"#" /etc/polyface/polyface.toml
    inside systemctl restart polyface
    await_health
}

upgrade_state() {
    nsenter --target "$leader" --net -- curl --silent --max-time 5 http://127.0.0.1:8000/healthz |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["upgrade"]["state"])' 2>/dev/null
}
is_kept() { [ "$(upgrade_state)" = succeeded ]; }

# The daemon asks systemd, polkit lets it, the unit installs, and the machine restarts into the version on trial.
test_sent_package() {
    say "upgrading by a signed package that a platform sends"
    local password session answer
    repack 99.1.0 "$schema"
    sign_package "$work/polyface_99.1.0.deb" 99.1.0
    password=$(inside cat /var/lib/polyface/initial-password)
    session=$(ask json --json "{\"msg_id\":\"257\",\"user_name\":\"admin\",\"user_pwd\":\"$password\"}" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"])')
    answer=$(ask form --header "sessionid: $session" --form msg_id=1292 --form "file=@$work/upgrade.package")
    grep -q '"code": *0\b' <<<"$answer" || die "the package was answered with $answer"
    # A restart ends the container.
    until_true 180 "restarting the machine" has_ended
    boot
    await_health
    # shellcheck disable=SC2016 # expanded by dpkg-query
    [ "$(inside dpkg-query --show --showformat='${Version} ${db:Status-Status}' polyface)" = "99.1.0 installed" ] ||
        die "the package is not installed"
    until_true 60 "waiting until the version is kept" is_kept
    inside grep -q '^name = "gate"' /etc/polyface/polyface.toml || die "the package changed the owner's configuration"
    install "${names[0]}"
    await_health
}

test_remove() {
    say "removing"
    local password
    password=$(inside cat /var/lib/polyface/initial-password)
    inside dpkg --remove polyface >/dev/null 2>&1 || die "dpkg --remove failed"
    if inside systemctl is-active --quiet polyface; then die "the service runs after the removal"; fi
    for kept in /var/lib/polyface/polyface.db /etc/polyface/polyface.toml; do
        inside test -e "$kept" || die "the removal erased $kept"
    done
    # Now no program is there to ask.
    refuse polyface_0.0.1.deb
    install "${names[0]}"
    await_health
    [ "$(inside cat /var/lib/polyface/initial-password)" = "$password" ] || die "data is lost after removal and installation"
}

test_erase() {
    say "erasing"
    inside systemctl stop polyface
    inside polyfaced erase --yes || die "polyfaced erase failed"
    inside systemctl start polyface || die "the service does not start after polyfaced erase"
    await_health
}

test_purge() {
    say "purging"
    local left
    inside dpkg --purge polyface polyface-models polyface-onnxruntime >/dev/null 2>&1 || die "dpkg --purge failed"
    # The user and its groups stay, so that nobody gets its number.
    left=$(inside find / -xdev -name '*polyface*' -not -path '/srv/packages*' -not -path '/proc/*' -not -path '/sys/*')
    [ -z "$left" ] || die "the purge left"$'\n'"$left"
    if inside setpriv --reuid=polyface --regid=polyface --init-groups test -w /etc/systemd/network; then
        die "the purge left the right to change the network"
    fi
    # With the same boot as before: the key is made again.
    install "${names[@]}"
    await_health
    power_off
}

say "checking the contents"
mkdir "$work/contents"
packaging/test/contents.sh "$work/contents" "$daemon" "$symbols" "${packages[@]:1}"
mapfile -t names < <(basename --multiple "${packages[@]}")
mapfile -t needed < <(dpkg-deb --show --showformat='${Depends}\n' "${packages[@]}" | tr ',' '\n' |
    sed -n 's/^ *\([a-z0-9.+-]*\).*/\1/p' | grep -v '^polyface' | sort -u)
root=$(packaging/test/root.sh "$cache/package-test" "${needed[@]}")
test_image
test_install
test_upgrade
test_downgrade
test_sent_package
test_remove
test_erase
test_purge
say "passed after $SECONDS s"
