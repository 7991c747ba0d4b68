# Everything runs in this clone: .venv (packages), .cache (Kafka), node_modules, .run (state).
# The first Python that is new enough; python3 where none is, which then says so itself.
PYTHON ?= $(or $(shell for name in python3 python3.13 python3.12 python3.11; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done),python3)
SETUP = $(PYTHON) deploy/local/bootstrap.py
RUN = .venv/bin/python -m
CHECKED = services shared ops deploy tests benchmarks simulator

.DEFAULT_GOAL := help
.PHONY: help demo up down reset backup restore status test check format real-data bench bench-long chaos mutation hostile dashboards dashboards-live alerts rehearsal lock

help: ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

demo: ## Start the system with a fictional municipality at work
	@$(SETUP) deploy.local demo

up: ## Start the system, empty
	@$(SETUP) deploy.local up

down: ## Stop all of it
	@if [ -x .venv/bin/python ]; then $(RUN) deploy.local down; else echo "Nothing is running."; fi

reset: ## Stop it and forget its data
	@if [ -x .venv/bin/python ]; then $(RUN) deploy.local reset; else rm -rf .run; fi

backup: ## Copy its PostgreSQL to .backup or CARTAS_BACKUP_DIR; from the first copy on its WAL is archived
	@$(RUN) deploy.local backup

restore: ## Put the newest copy back and replay the WAL; UNTIL=2026-11-23T09:30-06:00 stops there
	@$(RUN) deploy.local restore $(if $(UNTIL),--until $(UNTIL))

status: ## Show each process and its memory
	@if [ -x .venv/bin/python ]; then $(RUN) deploy.local status; else echo "Nothing is running."; fi

# Files of tests on two workers, each with a Kafka and a PostgreSQL of its own. A run of all of them
# also holds the rules to 100 % branch coverage by their own tests.
test: setup-dev ## Run every test; ARGS="..." goes to pytest
	@$(RUN) services.portal assets > /dev/null
	@$(if $(ARGS),,PYTEST_PLUGINS=tests.support.branches) $(RUN) pytest --numprocesses 2 --dist loadfile $(ARGS)

mutation: setup-dev ## Try what tests do not notice and write docs/mutation.md; resumes
	@nice -n 10 $(RUN) tests.mutation $(ARGS)

check: setup-dev ## Run formatter, linter, type checker, import rules
	@$(RUN) ruff format --check $(wildcard $(CHECKED))
	@$(RUN) ruff check $(wildcard $(CHECKED))
	@$(RUN) mypy $(wildcard $(CHECKED))
	@.venv/bin/lint-imports --no-logo

format: setup-dev ## Format the code
	@$(RUN) ruff check --fix --exit-zero $(wildcard $(CHECKED))
	@$(RUN) ruff format $(wildcard $(CHECKED))

real-data: setup-dev ## Judge the real data sets and write docs/real-data.md
	@$(RUN) benchmarks.real_data

bench: setup-dev ## Measure speed, cost and latency, in short (under 20 minutes)
	@$(RUN) services.portal assets > /dev/null
	@$(RUN) benchmarks

bench-long: setup-dev ## The same at length; goes on where it was broken off
	@$(RUN) services.portal assets > /dev/null
	@$(RUN) benchmarks --long

chaos: setup-dev ## Kill, stop, cut off what runs, compare with an undisturbed run, until both logs are complete
	@$(RUN) tests.chaos
	@$(RUN) tests.chaos.rescue
	@$(RUN) tests.chaos.rounds

hostile: setup-dev ## Send 10,000 bad inputs to every intake and write docs/hostile-input.md
	@$(RUN) services.portal assets > /dev/null
	@CARTAS_HOSTILE_INPUTS=10000 $(RUN) pytest --timeout 1800 tests/hostile

dashboards: setup-dev ## Write Grafana's dashboards from their code
	@$(RUN) deploy.grafana

dashboards-live: setup-dev ## Ask every panel's queries of a Prometheus; beside make demo
	@$(RUN) tests.dashboards

alerts: setup-dev ## Provoke the fault of each alert and see it told (Debian's prometheus, prometheus-alertmanager)
	@nice -n 10 $(RUN) tests.alerts $(ARGS)

rehearsal: ## Play docker compose through, from nothing to an upgrade, and write docs/rehearsal.md; needs Docker
	@nice -n 5 $(PYTHON) -m deploy.rehearsal --write $(ARGS)

lock: setup-dev ## Write every lock anew
	@deploy/local/lock.sh

.PHONY: setup-dev
setup-dev:
	@$(SETUP) --dev
