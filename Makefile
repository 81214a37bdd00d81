# Needs only python3 and make; everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test test-slow test-clang test-wheel test-cluster test-claims test-all test-oldest test-newest lock check docs site results bench accuracy figures mutants sanitize fuzz clean

help:
	@echo "make install  install lenet5 into .venv        make test      run the tests"
	@echo "make demo     read pictures, train LeNet-5     make test-all  run the slow tests, too"
	@echo "make docs     renew the docs' generated parts  make check     format, lint, types, layers, docs"
	@echo "make site     the docs as a site: build/site   make figures   draw the docs' pictures"
	@echo "make bench    speed beside its peers           make accuracy  train the runs that results/ lacks"
	@echo "make results  measure every published figure anew (hours)"
	@echo "make mutants  how many small changes of the code the tests notice (an hour)"
	@echo "make fuzz     every parser of files for SECONDS=20 each, guided by coverage where atheris installs"
	@echo "make lock     renew requirements-dev.lock       make test-oldest, make test-newest  both ends of the dependencies"
	@echo "make sanitize the engine's tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make test-clang  the engine's tests on a build by clang   make test-wheel  tests of the installed wheel"

# Stamps make a second run quick: they are older than what they depend on only when that changed.
.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit("lenet5 needs Python 3.10 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "The venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

.venv/.installed: .venv/.created pyproject.toml setup.py $(wildcard src/lenet5/engine/*.[ch])
	@echo "installing lenet5 into .venv (the first time takes a minute) …" >&2
	@rm -f src/lenet5/engine/_engine.*.so  # one of another name would be imported in its place
	@$(BIN)/python -m pip install --quiet --editable .
	@$(BIN)/python -c 'from lenet5 import engine; engine.AVAILABLE or print("Reading works; the compiled engine could not be built: install gcc and python3-dev (or your system'"'"'s names for them), then: make clean install")'
	@touch $@

.venv/.installed-dev: .venv/.installed pyproject.toml
	@echo "installing the tools for tests and checks …" >&2
	@$(BIN)/python -m pip install --quiet --editable '.[torch,report,serve,parquet,scale,export,sklearn]' --group dev
	@touch $@

install: .venv/.installed

install-dev: .venv/.installed-dev

demo: install
	@$(BIN)/lenet5 demo

# All processors are used; tests do not depend on each other.
test: install-dev
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow and not browser and not claim"

CLUSTER := tests/scale/test_ray.py tests/benchmarks/test_on_ray.py
test-slow: install-dev
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m "(slow or browser) and not claim" $(addprefix --ignore ,$(CLUSTER))

# A local cluster of Ray whose processes are killed: eight minutes on two busy cores.
test-cluster: install-dev
	@$(BIN)/python -m pytest -m slow $(CLUSTER)

# Measures every claim of the docs anew: half an hour.
test-claims: install-dev
	@$(BIN)/python -m pytest -m claim

test-all: test test-slow test-cluster test-claims

# The installed wheel with the lowest versions that pyproject.toml allows, or the newest, in an environment of its own.
# Left out are the cluster, and examples of the docs, which need the docs' own tools.
ENDS := tests/reading tests/forms tests/web tests/cli/test_read.py tests/scale tests/test_tables.py tests/test_sklearn.py
test-oldest: RESOLUTION := lowest-direct
# pytest 9 warns of how scikit-learn 1.6 uses it.
test-oldest: PYTEST := 'pytest<9'
test-newest: RESOLUTION := highest
test-newest: PYTEST := pytest
test-oldest test-newest: install-dev
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/$@
	@$(BIN)/uv pip install --quiet --python build/$@ --resolution $(RESOLUTION) '.[serve,parquet,report,sklearn]'
	@$(BIN)/uv pip install --quiet --python build/$@ httpx hypothesis jsonschema openapi-spec-validator $(PYTEST) pytest-xdist
	@$(BIN)/uv pip list --quiet --python build/$@
	@build/$@/bin/python -m pytest -n auto --dist loadgroup -m "not browser" $(ENDS) \
		--ignore tests/web/test_docs.py --ignore tests/scale/test_ray.py

# Versions and digests for a development environment that does not change by itself; CONTRIBUTING.md says how to use them.
lock: install-dev
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
		--all-extras --group dev pyproject.toml --output-file requirements-dev.lock

check: install-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs._build --check
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi
	@if [ -x $(BIN)/zizmor ]; then $(BIN)/zizmor --offline --quiet --config .github/zizmor.yml .github/workflows; fi

docs: install-dev
	@$(BIN)/python -m docs._build

site: install-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open build/site/index.html"

# SAMPLE changes, drawn with SEED.
SAMPLE ?= 200
SEED ?= 0
mutants: install-dev
	@$(BIN)/python -m benchmarks.mutants --sample $(SAMPLE) --seed $(SEED)

bench: install-dev
	@$(BIN)/python -m pip install --quiet --group bench
	@$(BIN)/python -m benchmarks.speed
	@$(BIN)/python -m benchmarks.speed.whole
	@$(BIN)/python -m benchmarks.speed.service

accuracy: install-dev
	@$(BIN)/python -m benchmarks.accuracy.choices
	@$(BIN)/python -m benchmarks.accuracy --keep build/accuracy

# Every file in results/ and every table of the docs: hours, and what LENET5_DATA holds beside MNIST.
results: accuracy
	@$(BIN)/python -m benchmarks.accuracy.evaluation
	@$(BIN)/python -m benchmarks.accuracy.held_out
	@$(BIN)/python -m benchmarks.accuracy.robustness
	@$(BIN)/python -m benchmarks.reading
	@$(BIN)/python -m benchmarks.reading.displacement
	@$(BIN)/python -m benchmarks.reading.left_out
	@$(BIN)/python -m benchmarks.forms
	@$(BIN)/python -m benchmarks.forms.learning
	@$(BIN)/python -m benchmarks.embedding
	@$(MAKE) bench mutants figures docs

figures: install-dev
	@$(BIN)/python -m docs._build.figures
	@$(BIN)/python -m docs._build.page
	@$(BIN)/python -m benchmarks.forms.pictures

test-clang: install-dev
	@command -v clang >/dev/null || { echo "clang is not installed: its build is left out" >&2; exit 0; }; \
		CC=clang PYTHON=$(CURDIR)/$(BIN)/python tests/installed.sh tests/engine tests/learning/test_distort.py

# The installed wheel without the sources beside it: the parts of the package that read, train, export and serve.
test-wheel: install-dev
	@PYTHON=$(CURDIR)/$(BIN)/python tests/installed.sh -n auto --dist loadgroup -m "not browser" \
		tests/engine tests/learning tests/reading tests/cli tests/export tests/forms tests/web tests/test_sklearn.py

sanitize: install-dev
	@PYTHON=$(CURDIR)/$(BIN)/python tests/engine/sanitize.sh

# For each of the parsers.
SECONDS ?= 20
fuzz: install-dev
	@$(BIN)/python -m pip install --quiet --group fuzz || echo "atheris cannot be installed here: the corpus is mutated instead" >&2
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

clean:
	rm -rf .venv build dist src/*.egg-info src/lenet5/engine/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
