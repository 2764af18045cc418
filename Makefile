# The doors of this repository; what takes more than a line stands in scripts/.

# setup: looks for python3.13, 3.12 and 3.11 if this one is older than 3.11
PYTHON ?= python3
# demo: where it listens; ONCE=1 makes it stop after its own calls
PORT ?= 8000
ONCE ?=
# test, bench, lock: further arguments
ARGS ?=

INSTALLED := .venv/.installed
CONFORMANCE := --conformance all

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv from constraints.txt

$(INSTALLED): constraints.txt scripts/setup.sh pyproject.toml $(wildcard channels/*/pyproject.toml)
	@PYTHON="$(PYTHON)" scripts/setup.sh
	@touch $@

demo: $(INSTALLED) ## serve the sample host: PORT=8000, ONCE=1
	PORT="$(PORT)" ONCE="$(ONCE)" .venv/bin/python -m samples.demo

test: $(INSTALLED) ## all tests and the conformance of every installed channel
	.venv/bin/python -m pytest -n logical --dist worksteal $(CONFORMANCE) $(ARGS)

check: $(INSTALLED) ## format, lint, types, layout
	scripts/check.sh

format: $(INSTALLED) ## put the code into the form that check asks for
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: $(INSTALLED) ## compare with bare Starlette, under load
	.venv/bin/python -m benchmarks $(ARGS)

lock: $(INSTALLED) ## write constraints.txt anew (ARGS=--upgrade)
	scripts/lock.sh $(ARGS)

clean: ## remove .venv and everything that tools leave behind
	rm -rf .venv dist build .hypothesis .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
