# Everything here is a plain command that works without make; PYTHON chooses the interpreter of a new .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install test lint types floors check bench counts fuzz samples notebooks pictures clean

install: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[dev]'
	touch $@

test: install
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

floors: install
	$(BIN)/lint-imports

check: lint types floors test

bench: install
	$(BIN)/python benchmarks/run.py

counts: install
	$(BIN)/python benchmarks/counts.py

SECONDS ?= 600

fuzz: install
	$(BIN)/pip install -q -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

samples: install
	$(BIN)/python sample_pcaps/make.py

notebooks: install
	$(BIN)/python notebooks/make.py

pictures: install
	$(BIN)/python docs/pictures/make.py

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz benchmarks/data
