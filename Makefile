# Two commands do everything on a machine with Python 3.10+ and Rust 1.88+: `make demo` and `make test`.
# PYTHON=python3.12 chooses an interpreter, VENV=path another environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Everything that the native module is built from.
SOURCES := $(shell find src native python -name '*.rs' -o -name '*.p[yx][xdi]' -o -name '*.h' -o -name 'Cargo.toml' -o -name '_sdk.p*') \
	Cargo.toml Cargo.lock pyproject.toml

.PHONY: help demo test test-rust test-python test-oldest-sdk compat bench bench-memory bench-kernels lint coverage fuzz fuzz-python valgrind clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      set up, then export real traffic by the official exporter and by otlp-fast, side by side"
	@echo "make test      set up, then run all tests (Rust, Python, the built wheel and sdist)"
	@echo "make compat    set up, then the compat tests under every supported SDK and CPython that is here"
	@echo "make bench     set up, run the benchmarks, write a record and the README's table"
	@echo "make bench-memory  our processor against a dead receiver for ten minutes: does memory stay within its limits?"
	@echo "make bench-kernels  the SIMD kernels by themselves, each path beside scalar (about ten minutes)"
	@echo "make lint      set up, then clippy, rustfmt, ruff, mypy, codespell"
	@echo "make coverage  run the Python tests with a coverage report"
	@echo "make fuzz      coverage-guided fuzzing of wire, views, JSON and tracezip; TIME=60 seconds each (needs a C++ compiler)"
	@echo "make fuzz-python  set up, then fuzz the Python border by atheris for TIME=60 seconds"
	@echo "make valgrind  set up, then the Rust tests and the Python border under valgrind (long; PARTS=border for one)"
	@echo "make clean     remove everything that these made"

# One environment for all; the stamp is newer than what it was installed from.
$(VENV)/.installed: $(SOURCES)
	@command -v cargo >/dev/null || { echo "otlp-fast: building needs Rust 1.88 or newer (https://rustup.rs): cargo was not found" >&2; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "otlp-fast: $(PYTHON) was not found; PYTHON=... names another" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "otlp-fast: needs Python 3.10 or newer, $(PYTHON) is older; PYTHON=... names another" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "otlp-fast: installing into $(VENV) (the first time this compiles for about two minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/otlp-fast demo $(DEMO_ARGS)

test: test-rust test-python test-oldest-sdk

test-rust:
	@command -v cargo >/dev/null || { echo "otlp-fast: building needs Rust 1.88 or newer (https://rustup.rs): cargo was not found" >&2; exit 1; }
	cargo test --locked -p otlp-wire -p otlp-schema -p otlp-columns -p otlp-compression -p otlp-tracezip -p otlp-fuzz
	cargo run --locked --quiet -p otlp-fuzz -- --runs 20000 --findings target
	cargo run --locked --quiet -p otlp-fuzz -- --tracezip --runs 2000 --findings target

test-python: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

# The tests above run under the newest SDK; these, of what depends on it, under the oldest.
test-oldest-sdk: $(VENV)/.installed
	$(BIN)/nox --session oldest_sdk

compat: $(VENV)/.installed
	$(BIN)/nox

bench-kernels: $(VENV)/.installed
	$(BIN)/python benchmarks/kernels/record.py

bench: $(VENV)/.installed
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-group-by=group
	$(BIN)/python benchmarks/report.py --record --readme
	$(BIN)/python benchmarks/reading.py --record --readme
	$(BIN)/python benchmarks/tracezip.py --record --readme
	$(BIN)/python benchmarks/report.py --plot

bench-memory: $(VENV)/.installed
	$(BIN)/python benchmarks/dead_receiver.py --record

lint: $(VENV)/.installed
	cargo fmt --all --check
	PYO3_PYTHON=$(abspath $(BIN)/python) cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

coverage: $(VENV)/.installed
	$(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage combine
	$(BIN)/coverage report

TIME ?= 60

fuzz:
	$(PYTHON) fuzz/run.py --time $(TIME) $(TARGETS)

# Atheris is not among what the tests need: nothing else uses it, and not every platform has it.
fuzz-python: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3'
	$(BIN)/python fuzz/python/border.py -max_total_time=$(TIME)

valgrind: $(VENV)/.installed
	$(BIN)/python fuzz/memcheck.py $(PARTS)

clean:
	rm -rf $(VENV) target build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python -name '*.so' -delete
