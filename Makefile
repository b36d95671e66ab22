# The short way to everything; the build itself is described in meson.build.

BUILD := build
PREFIX ?= /usr/local
DESTDIR ?=
STORE_URL ?= sqlite:posthaste.db
PROGRAM := $(BUILD)/posthaste
C_FILES = $(shell find src tests $(wildcard bench) -name '*.[ch]')

.DEFAULT_GOAL := build
.PHONY: help run build test test-unit test-integration test-fuzz test-coverage bench lint fmt vet dev \
	migrate-up migrate-down migrate-create install clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what the build needs, build, and watch the demo deliver
	@scripts/install-deps.sh build
	@$(MAKE) --no-print-directory build
	@$(PROGRAM) demo

build: $(BUILD)/build.ninja ## build build/posthaste
	@meson compile -C $(BUILD) posthaste

$(BUILD)/build.ninja:
	@meson setup $(BUILD)

# install-deps.sh test brings the servers too that the tests start (tests/servers); no service runs.
test: ## everything: unit, contract, end to end, shape, again under sanitizers
	@scripts/install-deps.sh test
	@python3 tests/run.py all

test-unit: ## the unit tests only
	@scripts/install-deps.sh test
	@python3 tests/run.py unit

test-integration: ## the contract suites and the end-to-end tests
	@scripts/install-deps.sh test
	@python3 tests/run.py contract e2e web

test-fuzz: ## the fuzzers, a minute each (FUZZ_SECONDS)
	@scripts/install-deps.sh test
	@python3 tests/run.py fuzz

test-coverage: ## all tests on a build that counts, then the coverage of src/
	@scripts/install-deps.sh coverage
	@python3 tests/run.py coverage
	@gcovr --root . --filter src/ --print-summary build-coverage

bench: build ## measure the throughput, as a share of what limits it
	@scripts/install-deps.sh test
	@meson compile -C $(BUILD) bench_claims
	@python3 bench/run.py $(if $(STORE),--store $(STORE))

lint: ## formatting, shape, and warnings of gcc and clang as errors
	@scripts/install-deps.sh lint
	@clang-format --dry-run --Werror $(C_FILES)
	@python3 tests/run.py shape
	@scripts/warnings.sh gcc
	@scripts/warnings.sh clang

fmt: ## format the C files in place
	@scripts/install-deps.sh lint
	@clang-format -i $(C_FILES)

vet: ## clang's static analyzer over src/
	@scripts/install-deps.sh lint
	@find src -name '*.c' -print0 | xargs -0 -n 4 -P "$$(nproc)" \
		clang --analyze --analyzer-output text -Xclang -analyzer-werror \
		-std=c17 -D_GNU_SOURCE -Isrc

dev: build ## the program with readable logs, sending to a mock provider of its own
	@scripts/dev.sh $(PROGRAM)

migrate-up: build ## bring the schema of STORE_URL up to date
	@STORE_URL='$(STORE_URL)' $(PROGRAM) migrate up

migrate-down: build ## take back the last migration of STORE_URL
	@STORE_URL='$(STORE_URL)' $(PROGRAM) migrate down

migrate-create: build ## new migration files: make migrate-create NAME=add_something
	@$(PROGRAM) migrate create '$(NAME)'

install: $(BUILD)/build.ninja ## install the program (PREFIX, DESTDIR)
	@meson configure $(BUILD) -Dprefix='$(abspath $(PREFIX))'
	@$(MAKE) --no-print-directory build
	@DESTDIR='$(DESTDIR)' meson install -C $(BUILD) --no-rebuild

clean: ## remove everything that was built
	@rm -rf build build-*
