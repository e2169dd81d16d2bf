# Two commands do everything on a fresh machine:
#   make run     builds the release binary and starts it with the simulated cloud on http://127.0.0.1:3000
#   make test    every check there is: format, lints, unit tests, both databases, the real binary in real Chromium
# And for the daily work: `make check` before each commit, `make bench` for figures.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TERM_PROGRESS_WHEN ?= never
ADDRESS ?= 127.0.0.1:3000
# The frontend is for the browser: built together with the server, its features would make effects run on the server.
SERVER_SIDE := --workspace --exclude tenantatlas-frontend

.PHONY: run build web check test lint unit end2end bench audit

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

test:
	./scripts/setup test
	$(MAKE) lint
	$(MAKE) build
	$(MAKE) unit
	$(MAKE) end2end

unit:
	./scripts/with-postgres cargo test --locked $(SERVER_SIDE)

end2end: build
	./scripts/with-postgres ./end2end/run

bench: build
	./scripts/setup test
	./scripts/with-postgres cargo run --release --locked --package tenantatlas-bench

audit:
	cargo deny check
