# Two commands do everything on a fresh machine:
#   make run     builds the release binary and starts it with the simulated cloud on http://127.0.0.1:3000
#   make test    every check there is: format, lints, unit tests, both databases, the real binary in real Chromium
# And for the daily work: `make check` before each commit, `make fuzz` after a change of what reads foreign text,
# `make bench` for figures, `make audit` for licences and advisories, `make sbom` for the list of components.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TERM_PROGRESS_WHEN ?= never
ADDRESS ?= 127.0.0.1:3000
# The frontend is for the browser: built together with the server, its features would make effects run on the server.
SERVER_SIDE := --workspace --exclude tenantatlas-frontend
# Minutes of one core, and nothing in it that others could disturb.
MEMORY := six_tenants_with_fat_pages_or_with_many_small_values_stay_below_half_a_gigabyte

.PHONY: run build web check test lint lint-browser unit unit-tests memory clients end2end fuzz bench audit sbom

# The tools of this repository, of the same dependencies as everything else.
TARGET := $(or $(CARGO_TARGET_DIR),target)
XTASK := $(if $(XTASK_BUILT),,cargo build --release --quiet --locked $(SERVER_SIDE) --bin xtask &&) $(TARGET)/release/xtask
# The tests take the dependencies from the folder of the release (Cargo.toml, profile `bench`).
TESTS := cargo test --profile bench --locked $(SERVER_SIDE)

run: build
	$(TARGET)/release/tenantatlas serve --demo --listen $(ADDRESS)

build: $(if $(WEB_BUILT),,web)
	cargo build --release --locked $(SERVER_SIDE) --bin tenantatlas

web:
	./scripts/setup build
	$(XTASK) web

check:
	./scripts/setup build
	$(MAKE) lint
	cargo clippy --release --quiet --locked $(SERVER_SIDE) --all-targets -- -D warnings
	$(TESTS) --quiet --lib

lint: lint-browser
	cargo fmt --all --check
	$(XTASK) unused

lint-browser:
	cargo clippy --release --quiet --locked --package tenantatlas-frontend --target wasm32-unknown-unknown -- -D warnings

# Each line beside each other: what is compiled ends with one crate after another, which leaves a core to the other; the
# memory of one process is minutes of one core; and browsers wait for half of their time. What an earlier line has built is
# not built again: cargo would wait for the cargo beside it.
test:
	./scripts/setup test
	$(MAKE) lint
	$(MAKE) --jobs=2 XTASK_BUILT=yes web unit-tests
	$(MAKE) audit
	$(MAKE) --jobs=2 WEB_BUILT=yes TESTS_BUILT=yes unit build
	$(MAKE) --jobs=3 WEB_BUILT=yes TESTS_BUILT=yes clients memory end2end

# With the lints of clippy, in the compiling that the tests need anyway. Examples in documentation are compiled and run here.
# The program that the tests start lies where the release will: they get a copy.
unit-tests:
	mkdir -p $(TARGET)
	./scripts/linted $(TESTS) --no-run --message-format json-render-diagnostics >$(TARGET)/tests.json
	cp $(TARGET)/release/tenantatlas $(TARGET)/tenantatlas-of-tests
	./scripts/linted $(TESTS) --quiet --doc

unit: $(if $(TESTS_BUILT),,unit-tests)
	TENANTATLAS_TEST_BINARY=$(abspath $(TARGET))/tenantatlas-of-tests ./scripts/with-postgres ./scripts/run-tests $(TARGET)/tests.json --skip $(MEMORY)

memory: $(if $(TESTS_BUILT),,unit-tests)
	./scripts/run-tests $(TARGET)/tests.json --only memory

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
