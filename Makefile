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

.PHONY: run build web check test lint unit unit-tests memory clients end2end fuzz bench audit sbom

run: build
	./target/release/tenantatlas serve --demo --listen $(ADDRESS)

build: web
	cargo build --release --locked --package tenantatlas-server

web:
	./scripts/setup build
	cargo run --quiet --locked --package xtask -- web

check:
	./scripts/setup build
	$(MAKE) lint
	cargo test --quiet --locked $(SERVER_SIDE) --lib

lint:
	cargo fmt --all --check
	cargo clippy --quiet --locked $(SERVER_SIDE) --all-targets -- -D warnings
	cargo clippy --quiet --locked --package tenantatlas-frontend --target wasm32-unknown-unknown -- -D warnings
	cargo run --quiet --locked --package xtask -- unused

test:
	./scripts/setup test
	$(MAKE) lint
	# Beside each other: either ends with one crate after another, which leaves a core to the other.
	$(MAKE) --jobs=2 build unit-tests
	$(MAKE) audit
	$(MAKE) unit
	# Beside each other: the memory of one process is minutes of one core, and browsers wait for half of their time.
	$(MAKE) --jobs=3 clients memory end2end

unit-tests:
	cargo test --locked --no-run $(SERVER_SIDE)

unit: unit-tests
	./scripts/with-postgres cargo test --locked $(SERVER_SIDE) -- --skip $(MEMORY)

memory: unit-tests
	cargo test --locked $(SERVER_SIDE) --test memory

# Clients of others, unmodified, against the simulated cloud.
clients: build
	./scripts/real-clients

end2end: build
	./scripts/with-postgres ./end2end/run

# Minutes of new inputs for everything that reads foreign text; seconds of it are in `make unit`. More: scripts/fuzz 60 redact
fuzz:
	./scripts/fuzz 5

bench: build
	./scripts/setup test
	./scripts/with-postgres cargo run --release --locked --package tenantatlas-bench

# Licences, sources and bans of everything built in; advisories where cargo-deny is installed and its data can be had.
audit:
	cargo run --quiet --locked --package xtask -- audit

# The components of the release as CycloneDX, beside the binary.
sbom:
	cargo run --quiet --locked --package xtask -- sbom
