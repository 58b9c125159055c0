# Parlour's commands. Each installs missing tools, and is quick the second time.

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/parlour
cargo_home := $(or $(CARGO_HOME),$(HOME)/.cargo)
target := $(abspath $(or $(CARGO_TARGET_DIR),target))

# Tools of the right version come first: from the cache, npm and cargo, then from the system.
export PATH := $(cache)/tools/bin:$(CURDIR)/node_modules/.bin:$(cargo_home)/bin:$(PATH)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.DEFAULT_GOAL := help
.PHONY: help run watch build test bench attack chaos conformance pictures lint deny fmt setup clean toolchain leptos deny-tool test-tools
MAKEFLAGS += --no-print-directory

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build a release and serve it on http://127.0.0.1:3000, with all data in ./data (ARGS="--addr …")
	@echo "run: $(target)/release/parlour $(ARGS)"
	@exec $(target)/release/parlour $(ARGS)

watch: leptos ## serve http://127.0.0.1:3000 and rebuild at every change (cargo leptos watch)
	@echo "watch: cargo leptos watch"
	@exec cargo leptos watch

build: toolchain node_modules/.package-lock.json ## build the release executable target/release/parlour
	@scripts/build

test: setup ## lint, then run every test: unit, integration, WASM, end to end
	@scripts/test

chaos: leptos test-tools node_modules/.package-lock.json ## inject random faults for CHAOS_SECONDS (300), and check the guarantees
	@scripts/chaos

conformance: toolchain ## test WebSocket with the Autobahn case list, and with the suite itself if Python 2.7 is installed
	@scripts/conformance

bench: build test-tools ## measure the figures of docs/performance.md BENCH_RUNS (3) times; BENCH_ONLY selects some
	@scripts/bench

attack: build test-tools ## run hostile clients against the release, beside active visitors; ATTACK_ONLY selects attacks
	@scripts/attack

pictures: leptos test-tools node_modules/.package-lock.json ## take the pictures of README.md and docs/tour.md anew, in docs/pictures
	@scripts/pictures

lint: toolchain node_modules/.package-lock.json ## check formatting, clippy for server and browser, types of the end-to-end tests
	@scripts/lint

deny: deny-tool ## check licenses, bans, sources and advisories of the dependencies
	@scripts/deny

fmt: toolchain ## format the Rust sources
	@echo "fmt: cargo fmt --all"
	@cargo fmt --all

setup: leptos deny-tool test-tools node_modules/.package-lock.json ## install everything that building and testing need

clean: ## remove everything built or installed here, except ./data
	@echo "clean: target, node_modules, reports"
	@cargo clean --quiet
	@rm -rf target node_modules end2end/test-results end2end/playwright-report

toolchain:
	@scripts/toolchain

leptos: toolchain
	@scripts/build-tools wasm-bindgen cargo-leptos

deny-tool: toolchain
	@scripts/build-tools cargo-deny

test-tools:
	@scripts/test-tools

node_modules/.package-lock.json: package.json package-lock.json
	@echo "npm ci: Playwright, axe, wasm-opt"
	@scripts/npm
	@touch $@
