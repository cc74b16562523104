# Each target prepares what it needs (a second time that takes a fraction of a second).
.DEFAULT_GOAL := help
.PHONY: help setup demo run deb test lint bench screenshots clean

BIN := .venv/bin

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup:  ## install what is missing and make .venv; the command is then .venv/bin/spyglass
	@packaging/setup.sh run

demo:  ## open Observer on a node behind a server of our own, and take a picture of it
	@packaging/setup.sh demo
	@packaging/demo.sh

run:  ## start the program
	@packaging/setup.sh run
	@$(BIN)/spyglass

deb:  ## build the Debian package into dist/ and check it
	@packaging/setup.sh deb
	@packaging/linux/check "$$($(BIN)/python packaging/linux/deb.py)"

test:  ## run every test, with real servers, containers and windows
	@packaging/setup.sh test
	@packaging/test.sh

lint:  ## check the house rules only (the tests do that too)
	@packaging/setup.sh test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench:  ## measure against the hand-made ways
	@packaging/setup.sh test
	@packaging/bench.sh

screenshots:  ## draw the windows into build/screenshots
	@packaging/setup.sh test
	@PYTHONPATH=tests $(BIN)/python -m support.screenshots build/screenshots

clean:  ## remove everything that was made here
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
