# Parlour's commands. Each installs what it lacks, and is quick the second time.

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/parlour
cargo_home := $(or $(CARGO_HOME),$(HOME)/.cargo)
target := $(abspath $(or $(CARGO_TARGET_DIR),target))

# Tools of the right version come first: those in the cache, npm's, cargo's, then what the machine has.
export PATH := $(cache)/tools/bin:$(CURDIR)/node_modules/.bin:$(cargo_home)/bin:$(PATH)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.DEFAULT_GOAL := help
.PHONY: help run watch build test bench attack chaos conformance lint deny fmt setup clean toolchain build-tools deny-tool test-tools
MAKEFLAGS += --no-print-directory

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build for release and serve http://127.0.0.1:3000, keeping everything in ./data (ARGS="--addr …")
	@echo "run: $(target)/release/parlour $(ARGS)"
	@exec $(target)/release/parlour $(ARGS)

watch: toolchain build-tools ## serve http://127.0.0.1:3000 and rebuild at every change (cargo leptos watch)
	@echo "watch: cargo leptos watch"
	@exec cargo leptos watch

build: toolchain build-tools node_modules/.package-lock.json ## leave the one-file release executable at target/release/parlour
	@scripts/build

test: setup ## lint, then run every test: unit, integration, WASM, end to end
	@scripts/test

chaos: toolchain build-tools test-tools node_modules/.package-lock.json ## break everything at random for CHAOS_SECONDS (300), check the promise, and count
	@scripts/chaos

conformance: toolchain ## WebSocket by the list of the Autobahn test suite; by the suite itself where Python 2.7 is found
	@scripts/conformance

bench: build test-tools ## measure every figure of docs/performance.md: BENCH_RUNS times (3), BENCH_ONLY some of them
	@scripts/bench

attack: build test-tools ## hostile clients against the release, beside visitors who talk: figures, and limits; ATTACK_ONLY some of them
	@scripts/attack

lint: toolchain node_modules/.package-lock.json ## check formatting, clippy for server and browser, types of the end-to-end tests
	@scripts/lint

deny: deny-tool ## check licences, bans, sources and known weaknesses of the dependencies
	@scripts/deny

fmt: toolchain ## format the Rust sources
	@echo "fmt: cargo fmt --all"
	@cargo fmt --all

setup: toolchain build-tools deny-tool test-tools node_modules/.package-lock.json ## install whatever building and testing need

clean: ## remove what was built and installed here; ./data stays
	@echo "clean: target, node_modules, reports"
	@cargo clean --quiet
	@rm -rf target node_modules end2end/test-results end2end/playwright-report

toolchain:
	@scripts/toolchain

build-tools: toolchain
	@scripts/build-tools

deny-tool: toolchain
	@scripts/build-tools cargo-deny

test-tools:
	@scripts/test-tools

node_modules/.package-lock.json: package.json package-lock.json
	@echo "npm ci: Playwright, axe, wasm-opt"
	@scripts/npm
	@touch $@
