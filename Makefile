# A fresh machine needs Python 3.11 to 3.13, make and a package index that pip can reach.
# Everything is installed into .venv, from a lock with hashes; set-up runs when needed.

# cpu, cuda, jax or jax-cuda: which framework `make demo` installs (see pyproject.toml).
EXTRA ?= cpu
ifeq ($(filter cpu cuda jax jax-cuda,$(EXTRA)),)
$(error EXTRA: expected cpu, cuda, jax or jax-cuda. Received: $(EXTRA))
endif
# A Python to use instead of the newest suitable one on the PATH.
PYTHON ?=
# More arguments for pytest: make test ARGS="-k weights".
ARGS ?=
# Files of tests side by side, in as many processes as tests/conftest.py says.
override PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder

override VENV := .venv$(if $(filter-out cpu,$(EXTRA)),-$(EXTRA))
override BIN := $(VENV)/bin
override PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq

ifneq ($(filter jax%,$(EXTRA)),)
export KERAS_BACKEND ?= jax
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick prove audit pythons cluster check lock docs-test site results clean unusable
.NOTPARALLEL:

help:
	@echo 'make demo     run the whole study on embedded images: minutes, no data needed'
	@echo 'make test     run every test but those on a Ray cluster'
	@echo 'make quick    run the tests that are not marked slow'
	@echo 'make prove    run every proof of docs/guarantees.md whole: an hour or more'
	@echo 'make audit    look for known weaknesses of the dependencies, where that can be asked'
	@echo 'make pythons  run a quick part of the tests on the oldest and newest Python here'
	@echo 'make cluster  run the tests that start a Ray cluster of several nodes here'
	@echo 'make check    lint, formatting and types'
	@echo 'make setup    create .venv with the command .venv/bin/tessera'
	@echo 'make docs-test  run the code of the documents and the examples'
	@echo 'make site     build the documentation into site/'
	@echo 'make results  write the tables of results/ into README.md and docs/'
	@echo 'make lock     resolve the dependencies again (UPGRADE=1: to the newest)'
	@echo 'make clean    remove the environments and caches'
	@echo
	@echo 'EXTRA=cuda, jax or jax-cuda chooses another framework: make demo EXTRA=jax'
	@echo 'PYTHON=/path/to/python3.12 chooses the Python: make setup PYTHON=python3.12'

setup: $(VENV)/.$(EXTRA)

demo: $(VENV)/.$(EXTRA)
	$(BIN)/tessera demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL) -m 'not cluster' $(ARGS)

quick: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL) -m 'not slow and not cluster' $(ARGS)

prove: $(VENV)/.dev
	TESSERA_PROVE=1 $(BIN)/python -m pytest tests/proofs -m proof -s $(ARGS)
	$(BIN)/python tests/proofs/guarantees.py docs/guarantees.md

audit: $(VENV)/.dev
	sh tools/audit.sh $(BIN)/python locks/cpu.txt

pythons: $(VENV)/.dev
	work=$$(mktemp -d) && sh tools/pythons.sh "$$work" && rm -r "$$work"

cluster: $(VENV)/.dev
	$(BIN)/python -m pytest -m cluster $(ARGS)

check: $(VENV)/.dev
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

docs-test: $(VENV)/.dev
	$(BIN)/python -m pytest tests/docs $(ARGS)

site: $(VENV)/.dev
	$(BIN)/python -m sphinx -b html --fail-on-warning --keep-going -q docs site
	@echo 'The site: $(CURDIR)/site/index.html'

results: $(VENV)/.$(EXTRA)
	$(BIN)/python -m tessera.report.committed.readme README.md results/study --also results/context
	$(BIN)/python -m tessera.report.committed.readme docs/findings.md results/remedies results/longtail results/context results/final
	$(BIN)/python -m tessera.report.committed.started docs/findings.md results/start
	$(BIN)/python -m tessera.report.committed.kept docs/findings.md results/last-epoch
	$(BIN)/python -m tessera.report.committed.varied docs/findings.md results/variation
	$(BIN)/python -m tessera.report.committed.ensembles docs/findings.md results/study results/plus results/last-epoch
	$(BIN)/python benchmarks/folds.py --write docs/findings.md
	$(BIN)/python benchmarks/labels.py --write docs/findings.md
	$(BIN)/python -m tessera.report.committed.readme docs/hybrid-plus.md results/plus results/pasting results/pasting-trials
	$(BIN)/python -m tessera.report.committed.frontier docs/hybrid-plus.md frontier docs/images/frontier.svg results/study results/plus results/plus-long results/plus-long-large benchmarks/records/keras_cct.json
	$(BIN)/python -m tessera.report.committed.frontier docs/hybrid-plus.md long - results/plus-long results/plus-long-cutout results/plus-long-late results/plus-long-tokens results/plus-long-large
	$(BIN)/python benchmarks/flips.py --write docs/hybrid-plus.md
	$(BIN)/python -m tessera.report.committed.ablation docs/hybrid-plus.md results/ablation results/ablation-mixing
	$(BIN)/python benchmarks/performance.py

clean:
	rm -rf .venv .venv-* build dist site docs/reference .mypy_cache .pytest_cache .ruff_cache .hypothesis

# .created holds the checkout's path, because an environment cannot be moved.
# .installing is there while pip works: after an interruption all starts over.

ifneq ($(shell { $(BIN)/python -c '' && cat $(VENV)/.created; } 2>/dev/null),$(CURDIR))
override UNUSABLE := unusable
endif
ifneq ($(wildcard $(VENV)/.installing),)
override UNUSABLE := unusable
endif

$(VENV)/.created: $(UNUSABLE)
	@python=$$(sh tools/find_python.sh $(PYTHON)) && \
	echo "setup: creating $(VENV) with $$python" && \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && echo '$(CURDIR)' > $@

# Python compiles a module when it is first imported, which most that are installed
# never are. So it must be allowed to keep what it compiles.
unexport PYTHONDONTWRITEBYTECODE
override INSTALL := $(PIP) install --no-compile

# $(call install,LOCK): what the lock says, then Tessera itself, editable; then a first
# import of what every command needs, which also shows that it can be imported here.
define install
	@echo "setup: installing locks/$(1).txt (some minutes the first time)"
	@touch $(VENV)/.installing
	@$(INSTALL) --require-hashes --only-binary :all: -r locks/$(1).txt
	@$(INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from tessera import runtime; runtime.prepare(); \
	runtime.load_backend(); import tessera.answers, tessera.pipeline, tessera.report.page'
	@rm $(VENV)/.installing
	@touch $@
	@echo "setup: done"
endef

$(VENV)/.$(EXTRA): $(VENV)/.created locks/$(EXTRA).txt pyproject.toml
	$(call install,$(EXTRA))

$(VENV)/.dev: $(VENV)/.created locks/dev.txt pyproject.toml
	$(call install,dev)
	@touch $(VENV)/.$(EXTRA)

# The one place that uses uv: one lock for every system and Python, with the hash of
# every file and no address of an index. Users' locks take the developers' versions.

override COMPILE := $(VENV)/uv/bin/uv pip compile pyproject.toml --quiet --universal \
    --python-version 3.11 --fork-strategy fewest --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --annotation-style line \
    $(if $(UPGRADE),--upgrade)

# The extras that are no framework; developers get them all, for the tests.
override FEATURES := --extra export --extra serve --extra track --extra ray --extra search

lock: $(VENV)/.created
	$(BIN)/python -m venv $(VENV)/uv
	$(VENV)/uv/bin/python -m pip --disable-pip-version-check -qq install uv
	$(COMPILE) --extra cpu --extra jax $(FEATURES) --group dev -o locks/dev.txt
	$(COMPILE) --extra cpu --group build -c locks/dev.txt -o locks/cpu.txt
	$(COMPILE) --extra jax --group build -c locks/dev.txt -o locks/jax.txt
	$(COMPILE) --extra cuda --group build -c locks/dev.txt -o locks/cuda.txt
	$(COMPILE) --extra jax-cuda --group build -c locks/dev.txt -o locks/jax-cuda.txt
