# Yiwang: everything a person needs starts here. `make help` lists it.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/yiwang/server/static/build

.DEFAULT_GOAL := help
.PHONY: help run test test-postgresql bench planning lint snapshots docs lock wheel clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed $(STATIC)/manifest.json ## start the platform with two cities on http://127.0.0.1:$(PORT)
	@$(BIN)/yiwang demo --port $(PORT)

test: $(VENV)/.installed-dev $(STATIC)/manifest.json lint ## everything that must pass
	$(BIN)/python scripts/build_web.py test
	YIWANG_DATABASE_URL= $(BIN)/python -m pytest -n 3 --dist worksteal --durations=15
	$(BIN)/python -m tests.postgresql --if-there

test-postgresql: $(VENV)/.installed-dev $(STATIC)/manifest.json ## the server's tests again, with PostgreSQL under them
	$(BIN)/python -m tests.postgresql

bench: $(VENV)/.installed-dev ## benchmarks against a named peer or bound; `make bench planning` for some
	$(BIN)/python -m bench $(filter-out bench,$(MAKECMDGOALS))

planning: # a name for `make bench`, and nothing to make
	@:

lint: $(VENV)/.installed-dev ## style, types, import contracts, migrations, packs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/build_web.py lint
	$(BIN)/yiwang manage makemigrations --check --dry-run
	$(BIN)/yiwang pack check packs/wuxi
	$(BIN)/yiwang pack check packs/boston

snapshots: $(VENV)/.installed-dev $(STATIC)/manifest.json ## renew the reference pictures of the main pages (look at them first)
	YIWANG_RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_snapshots.py

docs: $(VENV)/.installed-dev $(STATIC)/manifest.json ## screenshots and pictures in docs/
	$(BIN)/python scripts/list_decisions.py
	$(BIN)/python scripts/draw_house.py
	$(BIN)/python scripts/make_docs.py

lock: $(VENV)/.installed ## refresh the locked requirements after a change in pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements.txt --group dev pyproject.toml -o requirements-dev.txt

wheel: $(VENV)/.installed $(STATIC)/manifest.json ## one file in dist/ with the front end and the packs inside, for pip
	$(BIN)/uv build -q --wheel --out-dir dist

clean: ## remove what the targets made, not the data in var/
	rm -rf $(VENV) web/node_modules $(STATIC) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/uv:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

$(STATIC)/manifest.json: $(VENV)/.installed web/package-lock.json $(wildcard web/*.ts web/*.json web/src/* web/src/*/* src/yiwang/server/api/*.py)
	$(BIN)/python scripts/build_web.py
	@touch $@
