# The front door. `make up` and `make test` do all the set-up that they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK ?= local
# A file's tests share what they start, and so do those of neighbouring files: they keep their order.
# Four processes with a cluster each are enough for any machine.
PARALLEL ?= --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help up down test check format bench lock reference clean

help: ## What there is to do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

up: $(VENV)/.runtime ## The platform on an embedded cluster (STACK=local)
	@$(BIN)/corral up $(STACK)

down: $(VENV)/.runtime ## Stop the embedded cluster; its state stays
	@$(BIN)/corral cluster stop

test: $(VENV)/.dev ## Every test, the real control plane's included
	@$(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

check: $(VENV)/.dev ## Lint, format, types, import direction
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Rewrite the code in the house format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

reference: $(VENV)/.dev ## Write every generated document again
	@$(BIN)/python -m corral.reference

lock: $(VENV)/.dev ## Resolve requirements*.in again, with hashes and without hosts
	@for set in requirements requirements-dev warden/requirements; do \
	  $(BIN)/pip-compile --generate-hashes --allow-unsafe --strip-extras --no-header --quiet \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o $$set.txt $$set.in; done

clean: ## Remove the virtual environment and caches (not the cluster: `corral cluster reset`)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "corral needs Python 3.11 or newer; found $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 2; }
	@echo "set-up 1/3  virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "python3 -m venv failed: install your system's python3-venv package"; exit 2; }

$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "set-up 2/3  locked packages (about a minute on a first run)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@echo "set-up 3/3  the corral command"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
	  > $(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "set-up      packages for tests and checks"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
