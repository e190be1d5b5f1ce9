#!/usr/bin/env bash
# Install polyface into the Debian of root.sh and make of it what a slot holds: no identity, no secret, nothing to write to.
# Needs root.
# usage: image/tree.sh TREE NAME=VERSION KEYRING PACKAGE...      (TREE: a writable copy of root.sh's folder)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tree=$1 identity=$2 keyring=$3
shift 3

die() { printf 'image: %s\n' "$*" >&2; exit 1; }

# shellcheck source=packaging/test/machine.sh
source ../packaging/test/machine.sh

install_polyface() {
    local log
    mkdir "$tree/srv/packages"
    cp "$@" "$tree/srv/packages/"
    log=$(in_tree sh -c 'dpkg --install /srv/packages/*.deb' 2>&1) || die "the packages cannot be installed:"$'\n'"$log"
    rm -r "$tree/srv/packages"
    [ -x "$tree/usr/bin/polyfaced" ] || die "the packages have no daemon"
}

add_files() {
    cp -r --no-preserve=ownership files/. "$tree/"
    install -m 0644 "$keyring" "$tree/etc/rauc/keyring.pem"
    mkdir -p "$tree/data" "$tree/boot/efi"
    echo polyface >"$tree/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 polyface\n::1 localhost\n' >"$tree/etc/hosts"
    ln -sf /run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"
    printf 'IMAGE_ID=%s\nIMAGE_VERSION=%s\n' "${identity%=*}" "${identity#*=}" >>"$tree/usr/lib/os-release"
}

choose_services() {
    systemctl --quiet --root="$tree" enable systemd-networkd systemd-resolved systemd-timesyncd fstrim.timer \
        polyface-setup polyface-grow
    # Nothing is installed on a box but slots, and the initramfs examines the only file system that is written.
    systemctl --quiet --root="$tree" mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
        e2scrub_all.timer e2scrub_reap.service systemd-networkd-wait-online.service
    systemctl --quiet --root="$tree" is-enabled polyface >/dev/null || die "the packages do not enable the service"
}

# What a box makes itself at its first start, what belongs to installing, and what was only written here.
strip_identity() {
    local folder
    : >"$tree/etc/machine-id"
    rm -rf "$tree"/var/lib/dbus/machine-id "$tree"/etc/{credstore.encrypted,.pwd.lock,passwd-,group-,shadow-,gshadow-}
    rm -rf "$tree"/var/lib/{apt,polyface,initramfs-tools,grub,ucf,systemd/random-seed,systemd/credential.secret}
    for folder in var/cache var/log var/tmp tmp run boot/efi root srv; do
        find "$tree/$folder" -mindepth 1 -delete
    done
    mkdir -p "$tree/var/log/journal"
    # It would run as root for every user, and serves clocks that are not used.
    rm -f "$tree"/usr/lib/*/gstreamer1.0/gstreamer-1.0/gst-ptp-helper
    touch "$tree/var/.updated" # nothing in it is made at the start after an upgrade
}

# The list of packages belongs to the slot; /var/lib is the data partition's.
move_package_list() {
    mkdir -p "$tree/usr/lib/sysimage"
    mv "$tree/var/lib/dpkg" "$tree/usr/lib/sysimage/dpkg"
    rm -f "$tree"/usr/lib/sysimage/dpkg/*-old
    python3 ../packaging/sbom.py "$tree/usr/lib/sysimage/dpkg" "$identity" >"$tree/usr/share/doc/polyface/debian.cdx.json"
}

name_kernel() {
    local kernels=("$tree"/boot/vmlinuz-*)
    [ ${#kernels[@]} = 1 ] || die "the root has ${#kernels[@]} kernels instead of one"
    mv "${kernels[0]}" "$tree/boot/vmlinuz"
    rm -f "$tree"/{vmlinuz,initrd.img}* "$tree"/boot/System.map-*
    ./initramfs.sh "$tree" "$tree/boot/initrd.img"
}

install_polyface "$@"
add_files
choose_services
strip_identity
move_package_list
name_kernel
