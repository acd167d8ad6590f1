# Each target works as the only command on a fresh machine with Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Two test processes on a two-core machine (a third gains nothing); the suite is safe in any order.
WORKERS ?= 2
# Everything the tests use; torch is only needed to train the ladder again.
EXTRAS := $(addprefix --extra ,inspect fast frames web mcp postgres seal timestamps dev)

.PHONY: help demo serve test test-browser kills peer check format bench docs lock clean

help:
	@echo "make demo    four registered studies, run and judged on the shipped models"
	@echo "make serve   those studies as a site with API and MCP, on http://127.0.0.1:8300"
	@echo "make test    the whole test suite, on SQLite and PostgreSQL"
	@echo "make test-browser  the tests in a real Chromium alone"
	@echo "make kills   kill -9 a server under load, 500 times on each store"
	@echo "make peer    10,000 samples that Inspect writes, read by Inspect and by Leadline, value for value"
	@echo "make check   formatting, lint, types and the import contract"
	@echo "make bench   the benchmarks, as ratios against a floor or a peer of the same run"
	@echo "make docs    regenerate reference pages, schemas and MAP.md"
	@echo "make lock    resolve the hashed requirements again"

$(VENV)/.demo: requirements/demo.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements/demo.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/leadline demo --output demo-output

serve: $(VENV)/.demo
	test -e demo-output/registry.db || $(BIN)/leadline demo --output demo-output
	$(BIN)/leadline serve --store demo-output/registry.db --access open

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

test-browser: $(VENV)/.dev
	LEADLINE_TEST_BROWSER=required $(BIN)/python -m pytest tests/browser -m browser

KILLS ?= 500
SEED ?= 1
kills: $(VENV)/.dev
	$(BIN)/python -m tests.kills --kills $(KILLS) --seed $(SEED) --store sqlite
	$(BIN)/python -m tests.kills --kills $(KILLS) --seed $(SEED) --store postgres

SAMPLES ?= 10000
peer: $(VENV)/.dev
	$(BIN)/python -m tests.logs.peer --samples $(SAMPLES) --seed $(SEED)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev
	$(BIN)/python -m tools.docs

lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml $(EXTRAS) --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml requirements/build.in --extra inspect --extra web --extra mcp --constraint requirements/dev.txt --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/demo.txt

clean:
	rm -rf $(VENV) demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist
