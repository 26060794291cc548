# Everything below installs what it needs into .venv; only Python 3.11+, git and make are assumed.
# Override the interpreter with `make PYTHON=python3.12 ...`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE

.PHONY: azurite demo test test-keras lint types imports bench clean

$(VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '.[dev]'
	touch $@

# The main job on the embedded workspace: data, environment, a sweep of 8 trials, a model.
demo: $(VENV)/.runtime
	bash examples/demo.sh $(abspath $(BIN))

# Every test but those that install TensorFlow or all of MLflow.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not keras and not fuzz"

# The Keras trainers and MLflow's pages, for real: installs TensorFlow (1.4 GB) and MLflow (0.6 GB)
# into temporary environments.
test-keras: $(VENV)/.dev
	$(BIN)/python -m pytest -m keras

# Blob storage on this machine, at http://127.0.0.1:10000/devstoreaccount1; needs node.
azurite: $(VENV)/.dev
	$(BIN)/python tests/datastores/azurite.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

# Speed, each figure against a floor in the same run.
bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/bench_sweeps.py
	$(BIN)/python benchmarks/bench_data.py
	$(BIN)/python benchmarks/bench_storage.py
	$(BIN)/python benchmarks/bench_from_poetry.py
	$(BIN)/python benchmarks/bench_azure.py
	$(BIN)/python benchmarks/bench_emulator.py
	$(BIN)/python benchmarks/bench_validate.py
	$(BIN)/python benchmarks/bench_pipelines.py

clean:
	rm -rf $(VENV) .demo .bench
