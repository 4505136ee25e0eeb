# Every target sets itself up: a fresh clone and Python 3.11-3.13 are enough.
.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports soak bench cover hooks lock schema clean

# Bytecode is kept, whatever the caller's environment says: nothing is compiled at install, so that each of the hundreds of
# processes that the tests start would otherwise compile all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Two more than the two cores that the time is stated for: tests of servers, browsers and deadlines wait at times.
WORKERS ?= 4
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime  ## the main job against the sandbox (ARGS=--once exits instead of serving)
	@$(BIN)/governor demo $(ARGS)

test: $(VENV)/.dev  ## the tests (ARGS=... is passed to pytest)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint types imports test  ## what CI runs

lint: $(VENV)/.dev  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy --strict
	@$(BIN)/mypy

imports: $(VENV)/.dev  ## the import contracts
	@$(BIN)/lint-imports

soak: $(VENV)/.dev  ## the long form of the property and fault tests
	@GOVERNOR_TEST_PROFILE=soak $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not bench" $(ARGS)

bench: $(VENV)/.dev  ## the measurements: speed, memory, requests (prints tables)
	@$(BIN)/python -m pytest -m bench -s tests/benchmarks $(ARGS)

schema: $(VENV)/.dev  ## write from the code what others read: the JSON Schemas in rules/, the examples of the API
	@$(BIN)/governor rules schema > rules/schema.json
	@$(BIN)/governor rules schema --pack > rules/packs/schema.json
	@$(BIN)/governor rules schema --test > rules/test.schema.json
	@$(BIN)/governor rules schema --test --pack > rules/packs/test.schema.json
	@$(BIN)/python -m tests.web.examples > $(VENV)/examples.json && mv $(VENV)/examples.json service/web/examples.json

cover: $(VENV)/.dev  ## the tests with branch coverage
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered $(ARGS)

hooks: $(VENV)/.dev  ## run the checks before each commit (pre-commit)
	@$(BIN)/pre-commit install

lock:  ## re-lock the dependencies (needs uv)
	@uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/runtime.txt
	@uv pip compile -q --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements/runtime.txt -o requirements/build.txt
	@uv pip compile -q pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements/runtime.txt -c requirements/build.txt -o requirements/dev.txt

clean:  ## remove what the targets made
	@rm -rf $(VENV) demo sandbox .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and f"Python 3.11 to 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}: call make with PYTHON=/path/to/python3.12")'
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements/runtime.txt requirements/build.txt pyproject.toml
	@$(PIP) --no-deps --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@
