#!/usr/bin/env bash
# Build the daemon for aarch64 against the sysroot, with Debian's own Rust, which is multi-arch.
# usage: cross/build.sh [ARGUMENT OF cargo build]...      (after cross/sysroot.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
sysroot=$cache/cross/sysroot
libraries=$sysroot/usr/lib/aarch64-linux-gnu

export CARGO_TARGET_DIR=$cache/cross/target
export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc # not rustup's, which has no aarch64 library
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
export AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-L native=$libraries -C link-arg=-Wl,-rpath-link,$libraries"

export PKG_CONFIG_ALLOW_CROSS=1
export PKG_CONFIG_SYSROOT_DIR=$sysroot
export PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$sysroot/usr/share/pkgconfig

export OPENCV_LINK_LIBS=opencv_imgproc,opencv_core
export OPENCV_LINK_PATHS=$libraries
export OPENCV_INCLUDE_PATHS=$sysroot/usr/include/opencv4
# The generator of OpenCV's bindings gets the system headers from this clang: they must be the target's too.
printf '#!/bin/sh\nexec clang --target=aarch64-linux-gnu "$@"\n' >"$cache/cross/clang"
chmod +x "$cache/cross/clang"
export CLANG_PATH=$cache/cross/clang
export OPENCV_CLANG_ARGS="--target=aarch64-linux-gnu"

/usr/bin/cargo build --release --locked --package daemon --target aarch64-unknown-linux-gnu "$@"
