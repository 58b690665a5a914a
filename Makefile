# The commands of a checkout. Everything lands in .venv/, var/ and .cache/; nothing outside the folder is touched.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  if $$p -c $(NEW_ENOUGH) >/dev/null 2>&1; then echo $$p; break; fi; done)
# uv reads neither pip's variables nor the machine's certificates: an index, wheels or an authority of one's own
# are meant for both.
CERTIFICATES := $(firstword $(SSL_CERT_FILE) $(PIP_CERT) $(wildcard /etc/ssl/certs/ca-certificates.crt \
  /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
UV := $(if $(CERTIFICATES),SSL_CERT_FILE=$(CERTIFICATES)) \
  $(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX=$(PIP_INDEX_URL)) $(if $(PIP_FIND_LINKS),UV_FIND_LINKS=$(PIP_FIND_LINKS)) \
  $(VENV)/bin/uv pip install -q --python $(PY) --require-hashes
# Whatever the shell says: a process that compiles its libraries each time takes seconds longer to start, and
# an installation and its tests start dozens.
export PYTHONDONTWRITEBYTECODE :=
# One more than the two cores that it is measured on: some tests wait for processes.
WORKERS ?= 3
PYTEST_ARGS ?=
BENCH_ARGS ?=
DRILL_ARGS ?=

.PHONY: help run test prove bench bench-jobs bench-webhooks drill lint lock clean install install-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start CloudScribe: servers, web, workers, scheduler (PORT, CLOUDSCRIBE_DATA)
	@exec $(PY) -m cloudscribe.lib.supervisor

test: install-dev ## Run the whole suite in parallel, with coverage
	$(PY) -m pytest --ignore=tests/prove -n $(WORKERS) -p tests.covering $(PYTEST_ARGS)

prove: install-dev ## Statistics, endurance, real texts, whole sweeps: hours (PROVE_ARGS, such as -n 2 or --operations 1000)
	$(PY) -m pytest tests/prove $(PROVE_ARGS)
	SWEEPS=whole $(PY) -m pytest tests/security/test_injection.py tests/permissions/test_scopes.py

lint: install-dev ## Check style, types and the imports between floors
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: install-dev ## Print the speed table and write docs/performance.md (BENCH_ARGS, see --help)
	$(PY) -m bench $(BENCH_ARGS)

bench-jobs: install-dev ## Jobs beside procrastinate and RQ; write docs/jobs.md (BENCH_ARGS, see --help)
	$(PY) -m bench.jobs $(BENCH_ARGS)

bench-webhooks: install-dev ## Deliveries to one receiver; write docs/deliveries.md (BENCH_ARGS, see --help)
	$(PY) -m bench.webhooks $(BENCH_ARGS)

drill: install-dev ## Provoke faults under load and judge what is left (DRILL_ARGS, --short for a minute)
	$(PY) -m bench.drill $(DRILL_ARGS)

lock: install-dev ## Compile requirements/*.in into hashed *.txt
	for name in uv base otel run dev; do \
	  $(VENV)/bin/uv pip compile -q --generate-hashes --universal --python-version 3.11 \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## Remove caches and the virtual environment; data in var/ stays
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

install: $(VENV)/.run-installed
install-dev: $(VENV)/.dev-installed

$(VENV)/.uv-installed: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON to where it is." >&2; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run-installed: $(VENV)/.uv-installed requirements/run.txt
	$(UV) -r requirements/run.txt
	@touch $@

# What is in run.txt is in dev.txt at the same versions: after this, `make run` finds nothing left to do.
$(VENV)/.dev-installed: $(VENV)/.uv-installed requirements/dev.txt requirements/run.txt
	$(UV) -r requirements/dev.txt
	@touch $(VENV)/.run-installed $@
