# The recipes people use. `make run` and `make test` need only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# two files of tests at a time, each whole in one process: what a file sets up, it sets up once
TWO := -n 2 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test check lint types fast lock wheel clean

run: $(VENV)/.installed  ## one whole night on the sample city, without any server of Prefect's
	$(BIN)/lagesbild demo

test: check  ## everything: style, types, import directions, tests, coverage floor
	$(BIN)/python -m pytest $(TWO) --cov --cov-report=term:skip-covered

check: lint types  ## what pre-commit runs

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed-test
	$(BIN)/mypy

fast: $(VENV)/.installed-test  ## the tests that need neither Prefect's server nor a long run
	$(BIN)/python -m pytest $(TWO) -m "not slow"

wheel: $(VENV)/.installed-test  ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

lock:  ## renew the locks (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header pyproject.toml --extra build --extra test -o requirements-test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header pyproject.toml --extra build -c requirements-test.lock -o requirements.lock

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) install --quiet --no-deps --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/bin/python requirements-test.lock pyproject.toml
	$(PIP) install --quiet --no-deps --require-hashes -r requirements-test.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/.installed
