#!/usr/bin/env bash
# Create the aarch64 sysroot: Debian's libraries to link and to run with, unpacked into the cache.
# The packages cannot be installed beside the amd64 ones, so apt runs on a private tree and the
# archives are only unpacked. Quick when it exists; created again when this script changes.
set -euo pipefail

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
sysroot=$cache/cross/sysroot
tree=$cache/cross/apt

# Linking: C and C++ runtimes, OpenCV's two modules, GStreamer.
# Running: GStreamer's elements, a shell, certificates.
packages=(libc6-dev libstdc++-12-dev libopencv-core-dev libopencv-imgproc-dev
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav
    base-files dash ca-certificates tzdata)

recipe=$(sha256sum <"${BASH_SOURCE[0]}")
if [ "$(cat "$sysroot/.recipe" 2>/dev/null)" = "$recipe" ]; then exit; fi

say() { printf 'sysroot: %s\n' "$*"; }

# Use only the machine's Debian sources: third-party ones rarely have arm64.
prepare_tree() {
    rm -rf "$tree" "$sysroot"
    mkdir -p "$tree/parts" "$tree/lists/partial" "$tree/archives/partial" "$sysroot"
    touch "$tree/status"
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
        if [ -f "$file" ]; then cp "$file" "$tree/parts/"; fi
    done
    options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$tree/parts"
        -o "Dir::State=$tree" -o "Dir::State::status=$tree/status" -o "Dir::State::lists=$tree/lists"
        -o "Dir::Cache=$tree" -o "Dir::Cache::archives=$tree/archives"
        -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root
        -o APT::Install-Recommends=false -o Debug::NoLocking=true)
}

# Links to absolute paths would point outside the sysroot.
make_links_relative() {
    local link target
    find "$sysroot" -type l -lname '/*' | while read -r link; do
        target=$(readlink "$link")
        ln -sfnr "$sysroot$target" "$link"
    done
}

# So would the paths in the linker script of the C library.
make_scripts_relative() {
    sed -i 's#/[^ ]*/##g' "$sysroot/usr/lib/aarch64-linux-gnu/libc.so"
}

# Create the links that the packages' installation scripts would create.
make_alternatives() {
    local lib=$sysroot/usr/lib/aarch64-linux-gnu
    ln -sf blas/libblas.so.3 lapack/liblapack.so.3 "$lib/"
}

# Note the package as installed: dpkg-shlibdeps looks up here which package, in which version, a library is of. It gets the
# library's path in the cache.
note_package() { # ARCHIVE
    local info=$sysroot/var/lib/dpkg/info control name file
    control=$(mktemp -d)
    dpkg-deb --control "$1" "$control"
    name=$(dpkg-deb --field "$1" Package)
    grep -q '^Multi-Arch: same' "$control/control" && name=$name:arm64
    sed '/^Package:/a Status: install ok installed' "$control/control" >>"$sysroot/var/lib/dpkg/status"
    echo >>"$sysroot/var/lib/dpkg/status"
    for file in symbols shlibs; do
        if [ -e "$control/$file" ]; then cp "$control/$file" "$info/$name.$file"; fi
    done
    dpkg-deb --fsys-tarfile "$1" | tar -t |
        sed -E "s#^\./(bin|sbin|lib)/#./usr/\1/#; s#^\.#$sysroot#; s#/\$##" >"$info/$name.list"
    rm -r "$control"
}

prepare_tree
say "reading the package lists"
apt-get "${options[@]}" update -qq
say "fetching the packages"
apt-get "${options[@]}" install -qq --yes --download-only "${packages[@]}" >/dev/null
archives=("$tree"/archives/*.deb)
say "unpacking ${#archives[@]} packages"
# As in an installed system, /bin and /lib link into /usr before the first package is unpacked.
mkdir -p "$sysroot"/usr/{bin,sbin,lib} "$sysroot/var/lib/dpkg/info"
echo 1 >"$sysroot/var/lib/dpkg/info/format"
ln -s usr/bin usr/sbin usr/lib "$sysroot/"
for archive in "${archives[@]}"; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink -C "$sysroot"
    note_package "$archive"
done
make_links_relative
make_scripts_relative
make_alternatives
rm -rf "$tree"
echo "$recipe" >"$sysroot/.recipe"
say "complete in $sysroot ($(du -sh "$sysroot" | cut -f1))"
