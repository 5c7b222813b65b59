# Everything a clone needs is Python >= 3.11 and make. `make demo` and `make test` install what they use into .venv.
PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
CLIENTS := .venv-clients
OLDER := transformers4 keras3.0
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint types unit oldest clients bench exhaustive clean

demo: $(VENV)/installed
	mkdir -p build
	$(BIN)/initcli generate specs/resnet50.yaml --out build/resnet50.h5 --force

test: lint types unit oldest

lint: $(VENV)/tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/tested
	$(BIN)/mypy

unit: $(VENV)/tested
	$(BIN)/pytest --numprocesses 2

# The bytes must not depend on NumPy's version: the golden and unit tests again, with the oldest of every dependency.
# How a set of files comes into its place needs none of them.
oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python -m pytest -p no:cacheprovider --numprocesses 2 tests/golden tests/unit tests/properties \
		--ignore tests/unit/test_publish_shards.py

# Each client in a process of its own: TensorFlow, torch and JAX do not live together in one. The two pages last.
# Older releases, each in an environment of its own, load the files again: these are the tests that they run.
TESTS_transformers4 := torch transformers accelerate sharded keras_files
TESTS_keras3.0 := keras_files
run_each = for file in $(2:%=tests/clients/test_%.py); do \
		$(1)/bin/python -m pytest -c pyproject.toml $$file || status=1; \
	done

clients: $(CLIENTS)/installed $(OLDER:%=$(CLIENTS)-%/installed)
	rm -rf build/verdicts
	status=0; \
	$(call run_each,$(CLIENTS),*); \
	$(foreach old,$(OLDER),$(call run_each,$(CLIENTS)-$(old),$(TESTS_$(old)));) \
	$(CLIENTS)/bin/python tests/clients/verdicts.py && exit $$status

bench: $(CLIENTS)/installed
	$(CLIENTS)/bin/python tests/benchmarks/bench_generate.py

# The long proofs: every float32 draw of the normal laws, the tails of 10^8, files beyond 4 GiB and 20,000 tensors of
# every format.
exhaustive: $(VENV)/tested
	$(BIN)/python tests/exhaustive/prove_quantiles.py
	$(BIN)/pytest -s tests/exhaustive

clean:
	rm -rf build $(VENV) $(OLDEST) $(CLIENTS) $(OLDER:%=$(CLIENTS)-%)

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python $(PIP) --editable '.[test]'
	touch $@

$(OLDEST)/installed: pyproject.toml tests/oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python $(PIP) --requirement tests/oldest.txt --editable '.[test]'
	touch $@

$(CLIENTS)/installed: pyproject.toml tests/clients/requirements.txt
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python $(PIP) --requirement tests/clients/requirements.txt --editable .
	touch $@

$(CLIENTS)-%/installed: pyproject.toml tests/clients/requirements-%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(PIP) --requirement tests/clients/requirements-$*.txt --editable .
	touch $@
