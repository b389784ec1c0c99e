# What a developer does with the gateway. It needs Python 3.11 or newer and make.
#   make help

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The interpreter of the virtual environment; empty: the newest that works.
PYTHON ?=
# The port of `make demo`, and more of its arguments, such as a folder of DICOM files.
PORT ?= 8042
ARGS ?=
# The rows of `make bench`, such as "cpu wall"; empty: all of them. `--list` in ARGS names them.
ROWS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLIENTS := .clients/.installed
JS := tests/clients/js
BROWSER := tests/browser

# A Python that can make the environment: it runs, is new enough and has venv and pip.
# A name on the path is not enough, since version managers put names there that only fail.
SUITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
VERSION_OF = -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null

ifneq ($(PYTHON),)
ifneq ($(shell $(PYTHON) $(VERSION_OF)),$(shell $(BIN)/python $(VERSION_OF)))
.PHONY: $(STAMP)  # made with another interpreter than the one that is asked for
endif
endif

.PHONY: help install clients demo test lint mutants bench lock clean

help:  ## Print this
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 16
	@echo
	@echo 'PYTHON=python3.12 chooses the interpreter; demo also takes PORT= and ARGS="FOLDER …",'
	@echo 'bench ROWS="cpu wall" and ARGS="--studies 3000 --runs 1"; ARGS=--list names its rows.'

install: $(STAMP)  ## Make .venv with the locked packages and the gateway

$(STAMP): requirements-dev.lock pyproject.toml
	@for python in $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  if "$$python" -c '$(SUITS)' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo 'make: Python 3.11 or newer with venv and pip is needed; PYTHON=… names one.' >&2; \
	  exit 1; \
	fi; \
	echo "make: $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation -e .
	@touch $@

clients: $(CLIENTS)  ## Install AWS's own clients, OHIF and its own for the tests

# Apart from .venv: AWS's command line pins packages that nothing of the gateway's may follow.
$(CLIENTS): tests/clients/awscli.lock $(JS)/package.json $(JS)/package-lock.json \
    $(BROWSER)/package.json $(BROWSER)/package-lock.json | $(STAMP)
	@$(BIN)/python -m venv --clear .clients/aws
	@.clients/aws/bin/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r tests/clients/awscli.lock
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	  for from in $(JS) $(BROWSER); do \
	    to=.clients/$${from##*/}; \
	    mkdir -p "$$to"; \
	    cp "$$from/package.json" "$$from/package-lock.json" "$$to/"; \
	    (cd "$$to" && npm ci --loglevel=error --no-audit --no-fund >/dev/null); \
	  done; \
	  XDG_CACHE_HOME=$(CURDIR)/.clients/cache $(BIN)/qido-gateway ohif-fetch >/dev/null; \
	else \
	  echo 'make: no Node.js with npm: the tests of JavaScript clients are skipped.' >&2; \
	fi
	@touch $@

demo: $(STAMP)  ## Serve DICOM files and a viewer on http://127.0.0.1:8042, without AWS
	@exec $(BIN)/qido-gateway demo --port $(PORT) $(ARGS)

test: lint $(CLIENTS)  ## Lint, run all tests, check their coverage
	@rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal --ignore=$(BROWSER)
	$(BIN)/python -m coverage run -m pytest $(BROWSER)  # one browser has all cores to itself
	@$(BIN)/python -m coverage combine --quiet
	@echo 'coverage of all, 95 % at least:'
	@$(BIN)/python -m coverage report --show-missing --skip-covered --fail-under=95
	@echo 'coverage of errors, qido and search, 100 %:'
	@$(BIN)/python -m coverage report --show-missing --skip-covered --fail-under=100 \
	  --include='gateway/errors.py,gateway/qido/*,gateway/search/*'

lint: $(STAMP)  ## Check style, form and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

mutants: $(STAMP)  ## Change the rules one by one; each change must fail a test
	$(BIN)/python -m tests.mutants

bench: $(STAMP)  ## Measure it against a bare client, its quota, Orthanc and nginx, about 35 minutes
	$(BIN)/python bench/run.py $(ARGS) $(ROWS)

lock:  ## Write all lock files anew (needs uv and npm)
	@command -v uv >/dev/null || { echo 'make: uv is needed to lock.' >&2; exit 1; }
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
	  pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
	  pyproject.toml --all-extras --group dev -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
	  tests/clients/awscli.in -o tests/clients/awscli.lock
	for folder in $(JS) $(BROWSER); do (cd "$$folder" && npm update --package-lock-only \
	  --omit-lockfile-registry-resolved --no-audit --no-fund); done

clean:  ## Remove what these targets made
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .hypothesis
	rm -rf bench/.data bench/results.json $(BROWSER)/screenshots
	rm -rf .clients .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
