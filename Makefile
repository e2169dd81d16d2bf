# Two commands do everything on a fresh machine:
#   make run     builds the release binary and starts it with the simulated cloud on http://127.0.0.1:3000
#   make test    every check there is: format, lints, unit tests, both databases, the real binary in real Chromium
# And for the daily work: `make check` before each commit, `make fuzz` after a change of what reads foreign text,
# `make chaos` after a change of what runs, leases and processes do, `make bench` for figures, `make audit` for licences and
# advisories, `make sbom` for the list of components.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TERM_PROGRESS_WHEN ?= never
ADDRESS ?= 127.0.0.1:3000
# The frontend is for the browser: built together with the server, its features would make effects run on the server.
SERVER_SIDE := --workspace --exclude tenantatlas-frontend
# Minutes of one core, and nothing in it that others could disturb.
MEMORY := six_tenants_with_fat_pages_or_with_many_small_values_stay_below_half_a_gigabyte

# Processes, databases and the cloud fail; seconds of it are in `make test`. CHAOS_FAULTS and CHAOS_SEED choose another story.
CHAOS := chaos_

.PHONY: run build web check test lint lint-text lint-browser unit unit-tests memory chaos chaos-short clients end2end fuzz bench audit sbom

# The tools of this repository, of the same dependencies as everything else.
TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILD_XTASK := $(if $(XTASK_BUILT),true,cargo build --release --quiet --locked $(SERVER_SIDE) --bin xtask)
XTASK := $(BUILD_XTASK) && $(TARGET)/release/xtask
# The tests take the dependencies from the folder of the release (Cargo.toml, profile `bench`).
TESTS := cargo test --profile bench --locked $(SERVER_SIDE)

run: build
	$(TARGET)/release/tenantatlas serve --demo --listen $(ADDRESS)

build: $(if $(WEB_BUILT),,web)
	cargo build --release --locked $(SERVER_SIDE) --bin tenantatlas

# With LINT_WEB, what is compiled for the browser is linted by the way.
web:
	./scripts/setup build
	$(BUILD_XTASK)
	$(if $(LINT_WEB),./scripts/linted) $(TARGET)/release/xtask web

check:
	./scripts/setup build
	$(MAKE) lint
	cargo clippy --release --quiet --locked $(SERVER_SIDE) --all-targets -- -D warnings
	$(TESTS) --quiet --lib

lint: lint-text lint-browser

lint-text:
	cargo fmt --all --check
	$(XTASK) unused

lint-browser:
	cargo clippy --release --quiet --locked --package tenantatlas-frontend --target wasm32-unknown-unknown -- -D warnings

# The targets of a line beside each other: what is compiled ends with one crate after another, which leaves a core to the other;
# the memory of one process is minutes of one core; and tests and browsers wait for half of their time. What an earlier line
# has built is not built again: cargo would wait for the cargo beside it.
test:
	mkdir -p $(TARGET) && rm -f $(TARGET)/stages
	./scripts/stage $(TARGET)/stages setup ./scripts/setup test
	$(MAKE) timed-lint-text
	$(MAKE) --jobs=2 XTASK_BUILT=yes LINT_WEB=yes timed-web timed-unit-tests
	$(MAKE) timed-audit
	$(MAKE) --jobs=4 WEB_BUILT=yes TESTS_BUILT=yes timed-unit timed-memory timed-chaos-short timed-clients timed-end2end

# What needs the release starts when it is there, while the tests that do not need it still run: it takes longest, so these
# have what it leaves of the processor.
timed-clients timed-end2end: timed-build

# A target as a stage of `test`, whose time is told.
timed-%:
	./scripts/stage $(TARGET)/stages $* $(MAKE) $*

# With the lints of clippy, in the compiling that the tests need anyway. Examples in documentation are compiled and run here.
# The program that the tests start lies where the release will: they get a copy.
unit-tests:
	mkdir -p $(TARGET)
	./scripts/linted $(TESTS) --no-run --message-format json-render-diagnostics >$(TARGET)/tests.json
	cp $(TARGET)/release/tenantatlas $(TARGET)/tenantatlas-of-tests
	./scripts/linted $(TESTS) --quiet --doc

unit: $(if $(TESTS_BUILT),,unit-tests)
	TENANTATLAS_TEST_BINARY=$(abspath $(TARGET))/tenantatlas-of-tests nice -n 4 ./scripts/with-postgres ./scripts/run-tests $(TARGET)/tests.json --skip $(MEMORY) --skip $(CHAOS)

memory: $(if $(TESTS_BUILT),,unit-tests)
	nice ./scripts/run-tests $(TARGET)/tests.json --only memory

chaos-short: $(if $(TESTS_BUILT),,unit-tests)
	TENANTATLAS_TEST_BINARY=$(abspath $(TARGET))/tenantatlas-of-tests ./scripts/run-tests $(TARGET)/tests.json --only chaos --nocapture

chaos: unit-tests
	CHAOS_FAULTS=$${CHAOS_FAULTS:-1000} $(MAKE) TESTS_BUILT=yes chaos-short

# Clients of others, unmodified, against the simulated cloud.
clients: build
	./scripts/real-clients
	API_CLIENT_SECONDS=60 ./scripts/api-client

end2end: build
	./scripts/with-postgres ./end2end/run

# Minutes of new inputs for everything that reads foreign text; seconds of it are in `make unit`. More: scripts/fuzz 60 redact
fuzz:
	./scripts/fuzz 5

bench: build
	./scripts/setup test
	cargo build --release --locked $(SERVER_SIDE) --bin tenantatlas-bench
	./scripts/with-postgres $(TARGET)/release/tenantatlas-bench

# Licences, sources and bans of everything built in; advisories where cargo-deny is installed and its data can be had.
audit:
	$(XTASK) audit

# The components of the release as CycloneDX, beside the binary.
sbom:
	$(XTASK) sbom
