# Two commands matter: `make run` and `make test`. Both make their own environment, from pinned and hashed packages.
.DEFAULT_GOAL := help
.PHONY: help setup run test check lab synth clean

PYTHON ?= python3
BIN := .venv/bin
# A stamp per environment: made again when what is pinned changes.
PROJECT := .venv/.ready
MINISTACK := .local/ministack/.ready

help: ## show this text
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PROJECT) $(MINISTACK) ## make the environment: .venv with the betimes command in .venv/bin

run: setup ## run the main job on the demo book: the whole stack on this machine, no account needed
	@$(BIN)/betimes run

lab: setup ## play the demo book on a virtual clock
	@$(BIN)/betimes lab

test: setup ## everything CI checks: format, lint, types, import contracts, tests, synth and nag
	@$(BIN)/python -m tests.check

check: test ## the same as test

synth: setup ## write the CloudFormation template for the stage dev to cdk.out
	@CDK_OUTDIR=cdk.out $(BIN)/python -m infra.app && echo "template in cdk.out"

clean: ## remove both environments and everything that was built
	rm -rf .venv .local cdk.out build dist

$(PROJECT): requirements/bootstrap.lock requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Betimes needs Python 3.11 or newer, {sys.executable} is {v[0]}.{v[1]}: use make PYTHON=/path/to/python3.11")'
	@echo "making .venv (once; about a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(MINISTACK): requirements/ministack.lock $(PROJECT)
	@echo "making .local/ministack, the embedded AWS …"
	@test -x .local/ministack/bin/python || $(BIN)/python -m venv .local/ministack
	@$(BIN)/uv pip install --quiet --python .local/ministack/bin/python --require-hashes -r requirements/ministack.lock
	@touch $@
