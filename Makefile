# Two commands: `make demo` and `make test`. VENV and PYTHON may be set: make demo VENV=/tmp/venv
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check coverage test-lowest lint models generator universal bench bench-rivals clean
# make CONSTRAINTS=constraints.txt … installs the versions that CI has.
CONSTRAINTS ?=
PIP := -m pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
# What the lowest versions are tested with: no test of these needs an extra.
LOWEST := tests/test_black.py tests/test_surface.py tests/test_feature_map.py tests/arbitrage/test_arbitrage.py \
	tests/cells tests/conventions tests/imputation/test_imputation.py tests/cli tests/server tests/service tests/worksheet

demo: $(VENV)/.runtime  ## builds, fills and shows the demo workbook; installs no torch
	$(BIN)/python -m workbook

test: $(VENV)/.test lint  ## ruff, mypy and pytest
	$(BIN)/python -m pytest

check: $(VENV)/.test lint  ## the same without LibreOffice
	$(BIN)/python -m pytest -m "not office"

coverage: $(VENV)/.test  ## lines of voladdin and server that the tests run, LibreOffice's apart
	$(BIN)/python -m pytest -m "not office" --cov=voladdin --cov=server --cov-report=term:skip-covered

test-lowest: .venv-lowest/.installed  ## the quick tests with the lowest versions that pyproject.toml allows
	.venv-lowest/bin/python -m pytest $(LOWEST)

.venv-lowest/.installed: constraints-lowest.txt pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints-lowest.txt -e . pytest hypothesis httpx mpmath QuantLib
	touch $@

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Rebuilds the shipped bundle: make models HISTORY=fx_history.csv.gz (see `voladdin train -h` for its columns).
models: $(VENV)/.test
	@test -n "$(HISTORY)" || { echo "expected make models HISTORY=<file of full surfaces>"; exit 2; }
	$(BIN)/voladdin train "$(HISTORY)" --name fx --output voladdin/models

# Simulates the paper's equity surfaces and rebuilds the generator that ships: about ten minutes on one core.
generator: $(VENV)/.test
	mkdir -p out
	$(BIN)/python -m export.simulation.equity out/equity.npz --processes 2
	$(BIN)/python -m export.generation out/equity.npz --output voladdin/models/equity

# Makes a universal model of simulated markets, and of a history where HISTORY names one: the tables of the slow families,
# about 11 minutes of one core, and 70 minutes of training; interrupted, it goes on where it was.
universal: $(VENV)/.test
	$(BIN)/python -m export.simulation.markets pool out/pool --count 1000
	$(BIN)/python -m export.imputation.priors out/universal --minutes 70 --pool out/pool \
		$(if $(HISTORY),--history "$(HISTORY)" --until 2018-01-01)

# The tables of the README; needs the market data beside the repository (see `voladdin bench impute -h`).
bench: $(VENV)/.test
	$(BIN)/voladdin bench impute

# arbitragerepair for `voladdin bench repair`, in an environment of its own: it does not run with pandas 3.
bench-rivals: .venv-rivals/.installed

.venv-rivals/.installed: export/bench/repair/rivals.txt
	$(PYTHON) -m venv .venv-rivals
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check -r export/bench/repair/rivals.txt
	touch $@

clean:
	rm -rf out runs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.python pyproject.toml
	$(BIN)/python $(PIP) -e .
	touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml
	$(BIN)/python $(PIP) -e ".[test]"
	touch $@ $(VENV)/.runtime
