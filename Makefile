.DEFAULT_GOAL := help
.PHONY: help up test lint demo bench chaos chaos-long audit migrate words screenshots
PYTHON := .venv/bin/python

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

up: .venv/installed ## Run everything on this machine; Ctrl-C stops it
	@$(PYTHON) -m local.up

test: lint ## Check the code and run all tests
	@$(PYTHON) -m pytest --ignore tests/baileys --ignore tests/chaos --ignore tests/cloud
	@$(PYTHON) -m pytest tests/baileys -n 3 --dist loadfile
	@$(PYTHON) -m pytest tests/chaos tests/cloud -n 4 --dist worksteal

lint: .venv/installed ## Style, types (Python's and the sidecar's) and the arrows between the folders
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m bridge.node install --tests
	@$(PYTHON) -m bridge.node run node_modules/typescript/bin/tsc --project .

demo: .venv/installed ## Send a broadcast to 200 people and watch it (while make up runs)
	@$(PYTHON) -m local.demo

bench: .venv/installed ## Measure, and write docs/benchmarks.md and the figures of docs/baileys.md and docs/cloud.md
	@$(PYTHON) -m benchmarks
	@$(PYTHON) -m benchmarks.baileys
	@$(PYTHON) -m benchmarks.cloud

chaos: .venv/installed ## Kill everything under campaigns to 10,000 people (SEED=7 PEOPLE=500 replays one)
	@$(PYTHON) -m tests.chaos run $(if $(SEED),--seed $(SEED)) $(if $(PEOPLE),--people $(PEOPLE))

chaos-long: .venv/installed ## Everything else that is tried and measured of reliability (an hour and more)
	@MODEL_EXAMPLES=5000 $(PYTHON) -m pytest -q tests/chaos/test_model.py
	@$(PYTHON) -m tests.chaos.mutants
	@$(PYTHON) -m tests.chaos again
	@$(PYTHON) -m tests.chaos refill
	@$(PYTHON) -m tests.chaos stop
	@$(PYTHON) -m benchmarks.against 23c865a

audit: .venv/installed ## Look up known vulnerabilities of what is installed (needs the network)
	@$(PYTHON) -m local.audit

words: .venv/installed ## Bring the catalogues of other languages in line with the code
	@$(PYTHON) -m local.words

screenshots: .venv/installed ## Take the pictures of docs/screenshots anew
	@$(PYTHON) -m local.screenshots

migrate: .venv/installed ## Bring the database of DATABASE_URL to this version
	@$(PYTHON) -m db.migrate

.venv/installed: requirements.txt local/venv.sh
	@sh local/venv.sh
