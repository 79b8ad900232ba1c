# Needs only python3 >= 3.11 with venv, make and git. ARGS is passed on: make run ARGS="--port 9000".
PYTHON ?= python3

BIN := .venv/bin
COMPILE := .tools/uv/bin/uv pip compile --quiet --system-certs --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-annotate --no-header
REPORT = $(if $(JSON),--json $(JSON))

.DEFAULT_GOAL := help
.PHONY: help run test check format schema bench bench-queries bench-import bench-export bench-jobs bench-abuse chaos \
	conformance graphiql lock run-packages dev-packages python

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

run: run-packages ## Start the server with demo data (ARGS="--port 9000")
	@exec $(BIN)/python server.py serve $(ARGS)

test: check ## Run the static checks and every test (ARGS="tests/domain -x")
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: dev-packages ## Run the static checks alone
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	$(if $(wildcard resolvers/schema.py),$(BIN)/python -m tools.print_schema --check)

format: dev-packages ## Bring the code into its form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schema: dev-packages ## Print the API's schema into schema.graphql
	$(BIN)/python -m tools.print_schema

bench: ## Run every benchmark (JSON=file.json writes file-queries.json and so on)
	@for name in queries import export jobs; do \
		$(MAKE) bench-$$name $(if $(JSON),JSON=$(JSON:.json=)-$$name.json) || exit 1; \
	done

bench-queries: dev-packages ## Compare queries with other servers (JSON=file writes the rows; ARGS="--data folder")
	$(BIN)/python -m bench.queries $(REPORT) $(ARGS)

bench-import: dev-packages ## Compare imports with psql \copy (JSON=file writes the rows)
	$(BIN)/python -m bench.imports $(REPORT)

bench-export: dev-packages ## Compare exports with psql \copy (JSON=file writes the rows)
	$(BIN)/python -m bench.exports $(REPORT)

bench-jobs: dev-packages ## Measure the queue and the progress fan-out (JSON=file writes the rows)
	$(BIN)/python -m bench.jobs $(REPORT)

bench-abuse: dev-packages ## Measure what attacks do to others' queries, into docs/security.md (JSON=file writes the rows)
	$(BIN)/python -m bench.abuse $(REPORT)

chaos: dev-packages ## Run the long fault tests
	$(BIN)/python -m pytest -m chaos --timeout 0 $(ARGS)

conformance: dev-packages ## Run the suites of other projects; needs node
	@command -v node >/dev/null || { echo "make conformance needs node and npm."; exit 1; }
	$(BIN)/python -m pytest -m conformance $(ARGS)

graphiql: ## Build GraphiQL into web/static/graphiql; needs node
	cd web/graphiql && npm ci && npm run build

lock: python ## Lock the newest versions that the requirements allow
	@$(PYTHON) tools/bootstrap.py lock
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-otel.in --constraint requirements.txt --output-file requirements-otel.txt
	$(COMPILE) requirements-dev.in --constraint requirements.txt --constraint requirements-otel.txt --output-file requirements-dev.txt
	$(COMPILE) tools/requirements.in --output-file tools/requirements.txt
	$(COMPILE) bench/peers.in --output-file bench/peers.txt

run-packages: python
	@$(PYTHON) tools/bootstrap.py run

dev-packages: python
	@$(PYTHON) tools/bootstrap.py dev

python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: Leadport needs Python 3.11 or newer."; exit 1; }
