# The two commands that need nothing else first:  make demo   make test
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
SPARK := .venv/.spark
DEMO := build/demo
LOCK := --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11

export PATH := $(CURDIR)/$(BIN):$(PATH)
# Some images forbid it; then each of the many processes below would compile 4,000 modules again, in 9 s.
export PYTHONDONTWRITEBYTECODE :=
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help spark demo serve pages pictures tables test cover evidence unit check lint types format lock wheel sbom bench clean

help: ## show these commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

spark: $(SPARK) ## the Spark engine of linkage, into .venv too (needs Java 17)

# What builds pyspark is pinned in the same file.
$(SPARK): $(READY) requirements/spark.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --build-constraints requirements/spark.txt --requirement requirements/spark.txt
	@touch $@

demo: $(READY) ## make a partnership of 3,000 children and run everything on it
	$(BIN)/ffp demo $(DEMO)
	@echo
	@echo 'Now: make pages, make serve; or, for ffp itself:'
	@echo '  . .venv/bin/activate; export FFP_HOME=$(CURDIR)/$(DEMO)/home; ffp --help'

serve: $(READY) ## Dagster's pages on the demonstration: http://127.0.0.1:3000
	$(BIN)/ffp prepare --demo --home $(DEMO)/home
	FFP_HOME=$(CURDIR)/$(DEMO)/home FFP_LANDING=$(CURDIR)/$(DEMO)/partnership/landing \
	DAGSTER_HOME=$(CURDIR)/$(DEMO)/home/dagster FFP_AS_AT=2026-03-31 \
	PYTHONWARNINGS='ignore:Function `dev_command` is superseded' $(BIN)/dagster dev -w workspace.yaml

pages: $(READY) ## the practitioners' pages on the demonstration: http://127.0.0.1:8000
	$(BIN)/ffp serve --home $(DEMO)/home

pictures: $(READY) ## a picture of each main page on the demonstration: docs/pictures
	$(BIN)/python docs/make_pictures.py $(DEMO)/home

tables: $(READY) ## what every table and column is (dbt docs), in one file: build/tables/index.html
	$(BIN)/python docs/make_tables.py build/tables

test: $(READY) check ## all tests, as CI runs them
	$(BIN)/pytest -q -n auto

cover: $(READY) ## all tests again, slower, with the lines and branches that none of them reaches
	$(BIN)/pytest -q --cov=linkage --cov=governance --cov=ffp_data --cov=assets --cov-branch --cov-report=term:skip-covered

evidence: $(READY) ## the tests that show a control of information governance, and what each came to
	$(BIN)/pytest -q -m control -n auto --control-evidence governance/evidence.json

unit: $(READY) ## the tests to think with: no pipeline, no other process; Dagster and dbt are not even imported
	$(BIN)/pytest -q -m "not slow" --ignore=tests/assets --ignore=tests/dbt_project --ignore=tests/end_to_end

check: $(READY) lint types ## formatting, lint, types, import directions, lock file, SQL

lint: $(READY)
	@! grep -n '://' requirements/*.txt || { echo "the lock names an address"; exit 1; }
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests
	cd ffp_data/returns && $(abspath $(BIN))/sqlfluff lint annex_a dataflow

types: $(READY)
	$(BIN)/mypy linkage governance ffp_data assets

format: $(READY) ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY) ## compile the lock files again after a change in pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --extra postgres $(LOCK) --no-strip-extras --output-file requirements/dev.txt
	$(BIN)/uv pip compile requirements/bootstrap.in $(LOCK) --output-file requirements/bootstrap.txt
	$(BIN)/uv pip compile requirements/spark.in $(LOCK) --constraint requirements/dev.txt --output-file requirements/spark.txt

wheel: $(READY) ## build the wheel that deployment images install
	$(BIN)/python -m hatchling build --target wheel --directory build/dist

sbom: $(READY) ## the software bill of materials of the lock, as CycloneDX
	$(BIN)/python scripts/sbom.py build/sbom.cdx.json

bench: $(READY) ## the 30,000-child run, with time and memory
	$(BIN)/python benchmarks/end_to_end.py

clean:
	rm -rf build .venv
