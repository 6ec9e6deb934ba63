# Two commands do everything on a machine with Python 3.10+ and Rust 1.88+: `make demo` and `make test`.
# PYTHON=python3.12 chooses an interpreter, VENV=path another environment. What is missing is said with how to get it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Says what this machine lacks: `$(PYTHON) $(NEEDS) rust go`, or `--skip TARGET rust` where the rest goes on without.
NEEDS := tests/packaging/prerequisites.py
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The build-system.requires of pyproject.toml.
BUILD_REQUIRES := 'maturin>=1.9.4,<2' 'cython>=3.1'
# Everything that the native module is built from.
SOURCES := $(shell find src native python -name '*.rs' -o -name '*.p[yx][xdi]' -o -name '*.h' -o -name 'Cargo.toml' -o -name '_sdk.p*') \
	Cargo.toml Cargo.lock pyproject.toml

.PHONY: help demo test test-rust test-python test-oldest-sdk compat wheels bench bench-memory bench-kernels bench-rivals load-test lint coverage fuzz fuzz-python valgrind clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      set up, then export real traffic by the official exporter and by otlp-fast, side by side"
	@echo "make test      set up, then run all tests (Rust, Python, the built wheel and sdist)"
	@echo "make compat    set up, then the compat tests under every supported SDK and CPython that is here"
	@echo "make wheels    set up, then build into dist/ the sdist and a wheel for every CPython that is here, and check them"
	@echo "make bench     set up, run the benchmarks, write records and the tables of the pages"
	@echo "make bench-memory  our processor against a dead receiver for ten minutes: does memory stay within its limits?"
	@echo "make bench-kernels  the SIMD kernels by themselves, each path beside scalar (about ten minutes)"
	@echo "make bench-rivals  the Rust core beside prost, buffa and Go's pdata, without Python in the way (about ten minutes)"
	@echo "make load-test  20,000 spans/s through the gateway and a real Collector for twenty minutes (needs Go)"
	@echo "make lint      set up, then clippy, rustfmt, ruff, mypy, codespell"
	@echo "make coverage  the lines that the tests run, of Python and of Rust: fails below 95 % and 90 %"
	@echo "make fuzz      coverage-guided fuzzing of wire, views, JSON and tracezip; TIME=60 seconds each (needs a C++ compiler)"
	@echo "make fuzz-python  set up, then fuzz the Python border by atheris for TIME=60 seconds"
	@echo "make valgrind  set up, then the Rust tests and the Python border under valgrind (long; PARTS=border for one)"
	@echo "make clean     remove everything that these made"

define find-python
	@command -v $(PYTHON) >/dev/null || { echo "otlp-fast: $(PYTHON) was not found: Python 3.10 or newer is needed; PYTHON=... names another" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "otlp-fast: $(PYTHON) cannot be run or is too old: Python 3.10 or newer is needed; PYTHON=... names another" >&2; exit 1; }
endef

# One environment for all; the stamp is newer than what it was installed from. Building there, and not in an environment
# that pip makes for it, works without a network once all is installed.
$(VENV)/.installed: $(SOURCES)
	$(find-python)
	@$(PYTHON) $(NEEDS) rust compiler
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "otlp-fast: installing into $(VENV) (the first time this compiles for about two minutes)"
	@export PATH="$(abspath $(BIN)):$$PATH"; $(PIP_INSTALL) $(BUILD_REQUIRES) && \
		$(PIP_INSTALL) --no-build-isolation --editable '.[test,benchmarks]' || { $(BIN)/python $(NEEDS) index; exit 1; }
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/otlp-fast demo $(DEMO_ARGS)

# What lacks something is left out and named, at the end, where it is seen.
test: test-python
	@if $(BIN)/python $(NEEDS) --skip test-oldest-sdk index; then $(MAKE) test-oldest-sdk; fi
	@if $(BIN)/python $(NEEDS) --skip test-rust rust compiler; then $(MAKE) test-rust; fi

test-rust:
	$(find-python)
	@$(PYTHON) $(NEEDS) rust compiler
	cargo test --locked -p otlp-wire -p otlp-schema -p otlp-columns -p otlp-compression -p otlp-tracezip -p otlp-fuzz
	cargo run --locked --quiet -p otlp-fuzz -- --runs 20000 --findings target
	cargo run --locked --quiet -p otlp-fuzz -- --tracezip --runs 2000 --findings target

test-python: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

# The tests above run under the newest SDK; these, of what depends on it, under the oldest.
test-oldest-sdk: $(VENV)/.installed
	$(BIN)/nox --session oldest_sdk

compat: $(VENV)/.installed
	@$(BIN)/python $(NEEDS) rust compiler index
	$(BIN)/nox

# For every CPython of noxfile.py that this machine has; the others are named.
wheels: $(VENV)/.installed
	@$(BIN)/python $(NEEDS) rust compiler index
	$(BIN)/nox --session release_sdist release_wheel check_release

bench-kernels: $(VENV)/.installed
	@$(BIN)/python $(NEEDS) rust compiler
	$(BIN)/python benchmarks/kernels/record.py

# What a step promises and does not keep, or lacks, is said again at the end: the steps behind it run all the same.
define run-steps
	@trap 'exit 130' INT TERM; failed=; for step in $(1); do \
		echo "$(BIN)/python $$step"; $(BIN)/python $$step || failed="$$failed$${failed:+; }$$step"; \
	done; \
	test -z "$$failed" || { echo "otlp-fast: promises not kept, or not measured, as said above: $$failed" >&2; exit 1; }
endef

bench-rivals: $(VENV)/.installed
	$(call run-steps,"benchmarks/rivals.py --record --page" benchmarks/unkept.py)

bench: $(VENV)/.installed
	$(call run-steps,"-m pytest benchmarks --benchmark-only --benchmark-group-by=group" \
		"benchmarks/report.py --record --readme" "benchmarks/reading.py --record --page" \
		"benchmarks/tracezip.py --record --page" "benchmarks/report.py --plot" benchmarks/unkept.py)

bench-memory: $(VENV)/.installed
	$(BIN)/python benchmarks/dead_receiver.py --record

load-test: $(VENV)/.installed
	@$(BIN)/python $(NEEDS) go
	$(BIN)/python -m benchmarks.load --record --page

lint: $(VENV)/.installed
	@$(BIN)/python $(NEEDS) rust rust-linters compiler
	cargo fmt --all --check
	PYO3_PYTHON=$(abspath $(BIN)/python) cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

coverage: $(VENV)/.installed
	$(BIN)/python tests/measure_coverage.py $(PYTEST_ARGS)

TIME ?= 60

fuzz:
	$(PYTHON) fuzz/run.py --time $(TIME) $(TARGETS)

# Atheris is not among what the tests need: nothing else uses it, and not every platform has it.
fuzz-python: $(VENV)/.installed
	$(PIP_INSTALL) 'atheris>=3' || { $(BIN)/python $(NEEDS) index; exit 1; }
	$(BIN)/python fuzz/python/border.py -max_total_time=$(TIME)

valgrind: $(VENV)/.installed
	@test "$(PARTS)" = border || $(BIN)/python $(NEEDS) rust compiler
	$(BIN)/python fuzz/memcheck.py $(PARTS)

clean:
	rm -rf $(VENV) target build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python -name '*.so' -delete
