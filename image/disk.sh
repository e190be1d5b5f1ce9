#!/usr/bin/env bash
# Make the disk image for a board with UEFI: the boot partition with GRUB, two slots (the first filled), and data, which grows
# to the end of the medium at the first start.
# usage: image/disk.sh FILE SYSTEM OF THE SLOT, RESULT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
slot=$1 result=$2
# MiB
boot_size=64 slot_size=${SLOT_SIZE:-1280} data_size=256

die() { printf 'image: %s\n' "$*" >&2; exit 1; }
size=$(stat --format=%s "$slot")
[ "$size" -le $((slot_size * 1024 * 1024)) ] || die "the software has $size bytes, a slot $slot_size MiB"

work=$(mktemp -d "$cache/image/disk.XXXXXX")
trap 'rm -rf "$work"' EXIT

# GRUB's modules are a package of the other architecture.
modules=$cache/image/grub/usr/lib/grub/arm64-efi
if [ ! -d "$modules" ]; then
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download grub-efi-arm64-bin:arm64 >/dev/null)
    rm -rf "$cache/image/grub"
    dpkg-deb --extract "$work"/grub-efi-arm64-bin_*.deb "$cache/image/grub"
fi
# What is embedded is read without comments; it leads to grub.cfg on the same partition.
grub-mkimage --directory="$modules" --format=arm64-efi --prefix=/grub --config=grub/early.cfg --output="$work/BOOTAA64.EFI" \
    part_gpt fat ext2 normal configfile linux loadenv regexp echo test boot
grub-editenv "$work/grubenv" create
grub-editenv "$work/grubenv" set ORDER="A B" A_OK=1 A_TRY=0 B_OK=0 B_TRY=0

truncate --size="${boot_size}M" "$work/boot"
mkfs.vfat -n POLYFACE "$work/boot" >/dev/null
mmd -i "$work/boot" ::/EFI ::/EFI/BOOT ::/grub ::/setup
mcopy -i "$work/boot" "$work/BOOTAA64.EFI" ::/EFI/BOOT/
mcopy -i "$work/boot" grub/grub.cfg "$work/grubenv" ::/grub/

mkfs.ext4 -q -L polyface-data -b 4096 -i 16384 "$work/data" "${data_size}M" >/dev/null

# Each part begins at a whole MiB; the last one is kept free for the second table.
starts=(1 $((1 + boot_size)) $((1 + boot_size + slot_size)) $((1 + boot_size + 2 * slot_size)))
truncate --size="$((starts[3] + data_size + 1))M" "$work/disk"
sfdisk --quiet "$work/disk" <<END_OF_TABLE
label: gpt
start=${starts[0]}MiB, size=${boot_size}MiB, type=uefi, name=polyface-esp
start=${starts[1]}MiB, size=${slot_size}MiB, type=linux, name=polyface-a
start=${starts[2]}MiB, size=${slot_size}MiB, type=linux, name=polyface-b
start=${starts[3]}MiB, size=${data_size}MiB, type=linux, name=polyface-data
END_OF_TABLE
put() { # FILE, NUMBER OF ITS PART
    dd if="$1" of="$work/disk" bs=1M seek="${starts[$2]}" conv=notrunc,sparse status=none
}
put "$work/boot" 0
put "$slot" 1
put "$work/data" 3
mv "$work/disk" "$result"
