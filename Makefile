# `make help` lists the targets. Everything fetched or built is kept in POLYFACE_CACHE, outside the
# checkout, and reused.

export POLYFACE_CACHE ?= $(HOME)/.cache/polyface
export CARGO_TARGET_DIR ?= $(POLYFACE_CACHE)/target
# ONNX Runtime reports to its maker otherwise.
export ORT_DISABLE_TELEMETRY := 1
export PATH := $(POLYFACE_CACHE)/bin:$(HOME)/.cargo/bin:$(PATH)

# Build the measured binaries and the tools that measure them with one set of features, so that nothing is built twice.
MEASURED = cargo build --release --locked --workspace --bins --examples

.DEFAULT_GOAL := help
.PHONY: help setup models demo release test check advisories fuzz bench eval soak torture cross package package-test image emulate nightly

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## install what is missing: system packages, cargo tools, ONNX Runtime, models
	@.ci/packages build test
	@models/fetch.sh

models: ## fetch and convert the models into the cache
	@models/fetch.sh

demo: ## build and recognise people in a sample clip; Ctrl-C stops it
	@.ci/packages build
	@models/fetch.sh --portraits
	@demo/clip.sh
	cargo build --release --locked --package daemon
	@demo/run.sh

release: ## build the daemon for release, with the list of its crates inside for `cargo audit bin`
	@.ci/packages build release
	cargo auditable build --release --locked --package daemon

test: setup ## install what is missing and run all tests
	@models/fetch.sh --photos
	cargo test --workspace --locked --doc
	cargo nextest run --workspace --locked

check: ## check formatting, lints, documentation, licences of dependencies and the sandbox of the service
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	cargo deny --locked check licenses bans sources
	.ci/unit

advisories: ## check the dependencies against the RustSec advisories, where they can be fetched
	@.ci/advisories

fuzz: ## fuzz each parser of what devices send for MINUTES=10; TARGET=sip for one
	@.ci/packages build
	@fuzz/run.sh $(TARGET)

bench: ## measure the performance budget; OUT=folder for bench.json
	@.ci/packages build test
	@models/fetch.sh --photos --yardsticks
	$(MEASURED)
	cargo bench --locked --workspace --bench budget

eval: ## measure recognition on photographs; SET=name, WRITE=1 writes the calibration, OUT=folder for eval.json
	@.ci/packages build test
	@models/fetch.sh --set $(or $(SET),default) --photos
	cargo bench --locked --workspace --bench eval

soak: ## run MINUTES=60 of ordinary load; fails unless memory, threads and descriptors stay flat
	@.ci/packages build test
	@models/fetch.sh --photos
	$(MEASURED)
	$(CARGO_TARGET_DIR)/release/soak

torture: ## run ROUNDS=200 of kill -9 under load, CUTS=50 during upgrades, and a broker's death; fails if anything acknowledged is lost
	@.ci/packages build test
	@models/fetch.sh --photos
	$(MEASURED)
	$(CARGO_TARGET_DIR)/release/torture
	CUTS=$(or $(CUTS),50) cargo nextest run --workspace --locked -E 'binary_id(host::rauc)'
	cargo nextest run --workspace --locked --run-ignored only -E 'test(five_hundred_people)'

cross: ## build for aarch64 and run the result under emulation
	@.ci/packages build cross
	@cross/sysroot.sh
	@cross/build.sh --bins --example manual
	@cross/smoke.sh

# Another architecture's program is what `make cross` has built.
package: $(if $(ARCH),,release) ## build Debian packages of the release; after `make cross`, ARCH=aarch64 for that architecture
	@.ci/packages build bill
	@models/fetch.sh --set default --set small --set clean
	@packaging/build.sh $(ARCH)

package-test: package ## install, upgrade, remove and purge the packages in a clean Debian; needs root, takes some minutes
	@.ci/packages package
	@packaging/test.sh

# What `make cross` has built is used as it is.
image: ## build the disk image and the upgrade bundle of the generic ARM64 box; needs root
	@[ -x $(POLYFACE_CACHE)/cross/target/aarch64-unknown-linux-gnu/release/polyfaced ] || $(MAKE) --no-print-directory cross
	@$(MAKE) --no-print-directory package ARCH=aarch64
	@.ci/packages image
	@image/build.sh

# What `make image` has built is used as it is.
emulate: ## start the image on an emulated board, recognise people, upgrade, fall back; ten minutes
	@ls $(POLYFACE_CACHE)/image/*.img >/dev/null 2>&1 || $(MAKE) --no-print-directory image
	@.ci/packages image emulate
	@models/fetch.sh --portraits
	@image/emulate.sh

nightly: ## run what is too long for every change: cross, image, emulate, torture, soak; prints a table
	@.ci/nightly
