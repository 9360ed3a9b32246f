# Neural Networks, Hands On. `make` lists what there is to do; docs/authoring.md says more.

PYTHON ?= python3
export PORT TORCH_INDEX

BIN := .venv/bin
# Building notebooks from lessons needs more than a student's copy of the course does.
LAB_EXTRAS := $(if $(wildcard lessons),instructor)
# nbgrader runs a bare `alembic`, so the environment's programs come first on PATH.
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.PHONY: help lab classroom test check lint format build lock bench setup setup-test clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12    the Python to make .venv with (3.11 to 3.14)"
	@echo "  PORT=9000            the port for make lab (without it: the first free one from 8888)"
	@echo "  TORCH_INDEX=URL      a package index that has the build of torch you want (CPU, or a CUDA)"
	@echo "  ARGS='...'           more arguments, for jupyter lab (lab), pytest (test) or the topics (bench)"

lab: setup  ## set up, build the release, open JupyterLab on the course
	@$(if $(wildcard lessons),$(IN_VENV) $(BIN)/course build)
	@exec $(BIN)/python tools/lab.py $(ARGS)

test: setup-test  ## set up all that tests need, a browser and PostgreSQL included, and run them all
	@COURSE_BROWSER=$$($(BIN)/python tools/browser.py) && export COURSE_BROWSER && \
	COURSE_POSTGRES=$$($(BIN)/python tools/postgres.py) && export COURSE_POSTGRES && \
	$(MAKE) --no-print-directory lint && $(IN_VENV) $(BIN)/pytest $(ARGS)

classroom:  ## bring up a JupyterHub with three students and an instructor (as root; else a trial)
	@$(call set_up,instructor classroom)
	@$(IN_VENV) exec $(BIN)/course classroom $(ARGS)

check: setup-test lint  ## ruff, types by mypy, and that all pins agree
	@$(BIN)/pytest -q -n 0 tests/test_pins.py

lint:  ## ruff and mypy alone, with what is set up
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy

format: setup-test  ## put code into ruff's format, and mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

build: setup  ## lessons/ to source/ and release/, where out of date
	@$(IN_VENV) $(BIN)/course build

bench: setup-test  ## measure the widgets in a browser
	@COURSE_BROWSER=$$($(BIN)/python tools/browser.py) && export COURSE_BROWSER && \
	$(IN_VENV) $(BIN)/python benchmarks/widgets.py $(ARGS)

lock: setup-test  ## write requirements.lock anew from pyproject.toml (UPGRADE=1: newest versions)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	  pyproject.toml --output-file requirements.lock

setup:  ## make .venv, or bring it up to date (lab and test do it themselves)
	@$(call set_up,$(LAB_EXTRAS))

setup-test:  ## the same, with what tests need
	@$(call set_up,instructor cluster classroom test)

clean:  ## remove .venv and caches; students' work, submissions and grades stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build *.egg-info artefacts
	find course lessons tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

define set_up
command -v "$(PYTHON)" >/dev/null || { \
  echo "The course needs Python 3.11 or newer, and there is no $(PYTHON) here: install it" \
  "(on Debian or Ubuntu: sudo apt-get install python3 python3-venv) and start again." >&2; exit 1; }; \
"$(PYTHON)" tools/make_venv.py $(1)
endef
