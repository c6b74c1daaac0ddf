# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The adapters of Rust for the conformance tests, and the tests of the crates: bindings/rust/tests/suite.

CARGO ?= cargo
# A rustc on PATH may be a front that has no compiler behind it for this user: then the system's.
ifneq ($(shell rustc --version >/dev/null 2>&1 && echo works),works)
export PATH := /usr/bin:$(PATH)
endif
RUST_MADE := $(CONFORMANCE)/rust
# Crates link the archive of this build; what cargo makes goes there, too.
RUST_ENV  := env UPM_BUILD=$(abspath $(BUILD)) UPROBE_MULTI_BUILD=$(abspath $(BUILD)) CARGO_TARGET_DIR=$(abspath $(BUILD))/rust
RUST_SOURCES := $(wildcard bindings/rust/Cargo.* bindings/rust/*/Cargo.toml bindings/rust/*/build.rs \
                  bindings/rust/*/src/*.rs bindings/conformance/rust/* bindings/conformance/rust/src/*.rs)

$(RUST_MADE)/marshal.rs: bindings/generator/rust $(MARSHALLING)/marshal.h
	@mkdir -p $(@D)
	@bindings/generator/rust $(MARSHALLING)/marshal.h marshal >$@
$(RUST_MADE)/layout.rs: $(HEADER) $(GENERATOR)
	@mkdir -p $(@D)
	@{ echo '{'; $(GENERATE) --layout-rust; echo '}'; } >$@
$(RUST_MADE)/libmarshal.a: $(MARSHALLING)/marshal.c $(MARSHALLING)/marshal.h
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -fPIC $(CFLAGS) -c -o $(@:.a=.o) $< && rm -f $@ && ar rcs $@ $(@:.a=.o)
$(RUST_MADE)/built: $(RUST_SOURCES) $(RUST_MADE)/marshal.rs $(RUST_MADE)/layout.rs $(RUST_MADE)/libmarshal.a $(STATIC)
	@$(RUST_ENV) $(CARGO) build --quiet --locked --manifest-path bindings/rust/Cargo.toml -p uprobe-multi-conformance
	@touch $@

CONFORMERS += $(RUST_MADE)/built
BATS += bindings/rust/tests/suite

# The agent, and its tests, which run in the environment of the Python package's.
AGENT_TESTS := bindings/rust/agent/tests
$(RUST_MADE)/agent: $(RUST_SOURCES) $(STATIC)
	@mkdir -p $(@D)
	@$(RUST_ENV) $(CARGO) build --quiet --locked --manifest-path bindings/rust/Cargo.toml -p uprobe-agent
	@touch $@
tests: $(RUST_MADE)/agent
BATS += $(AGENT_TESTS)/suite

# The newest libbpf, from its crate, beside us: for the virtual machines.
NEWEST_LIBBPF := $(BUILD)/rust/debug/newest-libbpf
$(NEWEST_LIBBPF): $(RUST_SOURCES) $(wildcard bindings/rust/integration/src/bin/*.rs) $(STATIC)
	@$(RUST_ENV) $(CARGO) build --quiet --locked --manifest-path bindings/rust/Cargo.toml -p uprobe-multi-integration --bin $(@F)
	@touch $@
VM_PROGRAMS += $(NEWEST_LIBBPF)

# What the agent costs while processes come and go for so long.
SOAK_SECONDS ?= 600
.PHONY: soak
soak:
	$(SETUP_PACKAGES) build test
	@$(MAKE) --no-print-directory -s all targets
	@$(RUST_ENV) $(CARGO) build --quiet --release --locked --manifest-path bindings/rust/Cargo.toml -p uprobe-agent
	@$(AS_ROOT) SOAK_SECONDS=$(SOAK_SECONDS) PYTHONPATH=bindings/python/tests $(PYTHON) -B $(AGENT_TESTS)/soak

# Licences, sources and duplicates of the dependencies, where cargo-deny is installed.
.PHONY: deny
deny:
	@$(CARGO) deny --manifest-path bindings/rust/Cargo.toml --locked check licenses bans sources

# The raw layer, by Debian's bindgen: other versions write other text.
bindings: bindings-rust
.PHONY: bindings-rust
bindings-rust:
	@bindings/generator/rust >bindings/rust/uprobe-multi-sys/src/bindings.rs.new
	@mv bindings/rust/uprobe-multi-sys/src/bindings.rs.new bindings/rust/uprobe-multi-sys/src/bindings.rs

# What Rust costs, beside libbpf-rs and aya: bindings/rust/integration/src/bin/bench.rs.
# make bench runs it among its own rows; this is for it alone.
.PHONY: bench-rust bench-rust-program
bench-rust:
	$(SETUP_PACKAGES) build test bench
	@$(MAKE) --no-print-directory -s bench-rust-program
	@$(AS_ROOT) $(abspath $(BUILD))/rust/release/bench $(abspath $(BUILD))/bench-rust.json
bench-rust-program: all targets $(TARGET)/libmany-50000.so $(TEST_BPF)
	@$(RUST_ENV) $(CARGO) build --quiet --release --locked --manifest-path bindings/rust/Cargo.toml -p uprobe-multi-integration

# Beside the other linters: make lint.
.PHONY: lint-rust
lint: lint-rust
lint-rust: $(RUST_MADE)/marshal.rs $(RUST_MADE)/layout.rs
	@$(CARGO) fmt --check --manifest-path bindings/rust/Cargo.toml --all
	@$(RUST_ENV) $(CARGO) clippy --quiet --locked --manifest-path bindings/rust/Cargo.toml --workspace --all-targets \
	  --features uprobe-multi/tokio -- -D warnings
