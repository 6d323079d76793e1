# Two commands are enough: `make run` and `make test`. `make` lists the rest.
SHELL := /bin/bash
# Without UTF-8, Python cannot even start from a folder whose path is not ASCII.
export LC_ALL := C.UTF-8
PYTHON ?= python3
BIN := .venv/bin
# What checks need to import the settings; no server is contacted.
CHECK_ENV := PARLANCE_MODE=development PARLANCE_SECRET_KEY=check REDIS_URL=unix:///nowhere \
  PARLANCE_KEY_PEPPER=1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
  PARLANCE_MASTER_KEY=1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
  DATABASE_URL=postgresql://parlance_app@/check DATABASE_SYSTEM_URL=postgresql://parlance_system@/check \
  DATABASE_OWNER_URL=postgresql://parlance_owner@/check DJANGO_SETTINGS_MODULE=config.settings

# Two test processes, each with servers of its own; a file stays in one, since its tests share fixtures.
SPREAD := $(if $(TESTS),,--numprocesses 2 --dist loadfile)

.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: .venv/ready ## Prepare .venv with the locked packages

.venv/ready: requirements.lock pyproject.toml scripts/setup
	@scripts/setup "$(PYTHON)" requirements.lock
	@touch $@

.venv/ready-dev: requirements-dev.lock scripts/torch-for-tests scripts/deploy-tools .venv/ready
	@scripts/setup "$(PYTHON)" requirements-dev.lock
	@scripts/torch-for-tests
	@scripts/deploy-tools
	@touch $@

run: .venv/ready ## Start everything, show a demo, serve until Ctrl-C (AUDIO=file to use your own)
	@exec $(BIN)/parlance up $(if $(AUDIO),--audio "$(AUDIO)")

test: .venv/ready-dev ## Run the tests (about fifteen minutes on two cores); TESTS=path for some
	@$(BIN)/python -m pytest $(SPREAD) -m "not long" $(TESTS)

test-long: .venv/ready-dev ## Run the tests that take longer too
	@$(BIN)/python -m pytest $(SPREAD) $(TESTS)

check: .venv/ready-dev ## Format, lint, no float where money is, types, imports, migrations, API document
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python scripts/no_float.py
	@$(CHECK_ENV) $(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(CHECK_ENV) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	@$(CHECK_ENV) $(BIN)/python scripts/openapi.py --check
	@$(BIN)/python sdk-python/generate --check
	@cd sdk-python && ../$(BIN)/mypy

openapi: .venv/ready-dev ## Write openapi.json anew, and with it the SDK
	@$(CHECK_ENV) $(BIN)/python scripts/openapi.py
	@$(BIN)/python sdk-python/generate

sdk: .venv/ready-dev ## Write anew what of the Python SDK comes from openapi.json
	@$(BIN)/python sdk-python/generate

chart: .venv/ready-dev ## Write anew what of the Helm chart comes from its values.yaml
	@$(BIN)/python scripts/chart_schema.py

bench: .venv/ready-dev ## Run every benchmark; each prints one line of JSON
	@missed=0; for file in benchmarks/bench_*.py; do $(BIN)/python "$$file" || missed=1; done; exit $$missed

lock: .venv/ready-dev ## Resolve the versions anew into the two lock files
	@scripts/lock

clean: ## Remove what the commands above made here
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help setup run test test-long check openapi sdk chart bench lock clean
