# Everything that is installed goes into .venv/; no target needs anything but make, git and Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test browser lint bench soak screenshot lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("rejudge needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/rejudge demo $(ARGS)

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# A Chromium for the browser tests, from the system's package manager, and axe-core from npm.
browser:
	@sh tests/install_browser.sh

bench: $(VENV)/.installed
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Minutes of labelling over the real wire, with kill -9 of the server and with 32 people at once. Never in CI.
soak: $(VENV)/.installed
	$(BIN)/python -m tests.soak $(ARGS)

# The pictures in docs/, from the real desk.
screenshot: $(VENV)/.installed
	$(BIN)/python -m tests.browser.screenshots docs

lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --group dev --output-file requirements.lock pyproject.toml
