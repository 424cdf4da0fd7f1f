# Every target sets up what it needs: Python 3.11 or newer and make are enough.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo ui test test-slow test-heavy lane-a lane-b lane-c check format bench validity lock clean help

demo: $(INSTALLED)  ## judge, score and grade real learner texts on this machine, for nothing
	@$(BIN)/cj demo

ui: $(INSTALLED)  ## the Dagster UI: seven assets per batch, with their checks
	@$(BIN)/dagster dev

# the workers share the cores: threads that wait for each other in small matrices take ten times what they save
test test-slow test-heavy: export OPENBLAS_NUM_THREADS := 1

test: $(INSTALLED)  ## everything that takes seconds
	@$(BIN)/pytest -n auto

test-slow: $(INSTALLED)  ## what takes minutes: processes killed at every point, real daemons, a browser, simulations
	@$(BIN)/pytest -n auto -m heavy

test-heavy: $(INSTALLED)  ## the same and a thousand kills at random
	@$(BIN)/pytest -n auto -m "heavy or endurance"

lane-a: check test  ## CI, fast: format, lint, types, docs, and everything that takes seconds

lane-b: $(INSTALLED)  ## CI, walking skeleton: plain dagster commands take two profiles through all assets
	@.ci/lane-b

lane-c: $(INSTALLED)  ## CI, heavy: every ENG5 profile, anchors, the schedule by a daemon; what is missing is red
	@.ci/lane-c

check: $(INSTALLED)  ## format, lint, types, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python .ci/check_docs.py

format: $(INSTALLED)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED)  ## speed against peers in the same run; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks

validity: $(INSTALLED)  ## gates, ranges and reliability on simulated judges; writes docs/validity.md
	@$(BIN)/python -m benchmarks.validity

lock: $(INSTALLED)  ## resolve requirements.lock anew: versions and hashes, no index addresses
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev --upgrade \
		--custom-compile-command "make lock" --quiet pyproject.toml -o requirements.lock

clean:  ## remove the environment and all caches; data/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info .tmp_dagster_home_*

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

# --no-deps: the lock is complete, and older pips refuse extras under --require-hashes
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12"; exit 1; }
	@echo "installing into .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)
