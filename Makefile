# marginspec. Every target does the set-up that it needs, and only what changed since the last time.

SHELL := bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:

SYSTEM ?= reference
STEPS ?= 200000
ARGS ?=
# The first Python that will do; pyproject.toml says why no newer one.
PYTHON ?= $(or $(firstword $(foreach it,python3 python3.12 python3.11,$(shell $(it) $(FITS) 2>/dev/null && echo $(it)))),python3)
FITS := -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

BIN := .venv/bin
.PHONY: help
help:
	@echo 'make check      prove $(SYSTEM), run its model against the real implementation, report (SYSTEM=morpho-blue, ARGS=…)'
	@echo 'make test       lint, then all tests'
	@echo 'make lint       ruff, mypy, the rooms'
	@echo 'make bench      how fast, how much memory, seconds of proof'
	@echo 'make soundness  5,000 random small systems and laws, decided by enumeration and by the prover (ARGS="--seed 2")'
	@echo 'make hostile    10,000 damaged files given to the verbs (ARGS="--seed 2"): no traceback, no hang, no wrong code'
	@echo 'make killed     kill -9 at 100 random moments of the verbs: the next run works, nothing is cut off or left running'
	@echo 'make equivalence-check  100,000 transactions on the symbolic EVM and on pyrevm (ARGS="--transactions 5000"), 1,000 by the specification too'
	@echo 'make fuzz-long  $(STEPS) steps in lock-step (STEPS=…), every rule and regime reached'
	@echo 'make fuzz-anvil, fuzz-sdk   20,000 steps against an anvil node, and against the SDK'
	@echo 'make mutate     break the model in every small way: who notices?'
	@echo 'make kills      one wrong line of a model at a time: which law refuses it alone?'
	@echo 'make planted    find the bugs planted in the contract'
	@echo 'make packages   fetch npm packages: of bugs planted in Aave v3 and PerpsV2, and Curie, which does not travel'
	@echo 'make upgrades   each planted bug as an upgrade: does diff name its rule?'
	@echo 'make conformance  vectors of $(SYSTEM) into out/vectors/, with what they cover'
	@echo 'make session    run and record the session of the README'
	@echo 'make findings   find, shrink and keep the differences that the SDK declares'
	@echo 'make growth     how cost grows with markets, assets and accounts, plotted'
	@echo 'make audit      generate a book of $(SYSTEM) on an anvil and audit it (ARGS="--target URL --address 0x…")'
	@echo 'make risk       the risk service over QuantLib, NumPy and SciPy beside chapters 11 and 12 (ARGS=--planted)'
	@echo 'make services   50,000 questions of each kind to each of our risk services, all their planted bugs, how fast'
	@echo 'make simm       SIMM of chapter 16 beside ORE with the weights of ISDA (320 MB, CPython 3.11)'
	@echo 'make cluster    a run on a cluster of Dask on this machine, workers killed meanwhile'
	@echo 'make scaling    how busy up to 32 workers of a cluster are kept, by workers that sleep, plotted'
	@echo 'make html       check, then out/$(SYSTEM).html'
	@echo 'make tutorial   run the commands of docs/tutorial.md and record what they print'
	@echo 'make docs       the pages of docs/ as a site, into out/site'
	@echo 'make figures    renew the README from findings/; bench, fuzz-…, mutate and planted do it too'
	@echo 'make clean      remove what these made here; compiled contracts stay in ~/.cache/marginspec'

# What a run needs: Morpho Blue's contracts and compiler come by npm, the reference venue needs neither.
NEEDED = .venv/installed $(if $(filter reference,$(SYSTEM)),,node_modules/.installed)

# --- What people want --------------------------------------------------------------------------------------------------

.PHONY: check test lint docs audit html bench soundness equivalence-check hostile killed growth scaling risk simm services cluster fuzz-long fuzz-anvil fuzz-sdk mutate kills planted upgrades session findings conformance tutorial figures setup clean

check: $(NEEDED)
	@$(BIN)/marginspec check $(SYSTEM) $(ARGS)

test: setup packages lint
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed
	@$(BIN)/zensical build --strict --clean

audit: setup
	@$(BIN)/marginspec audit $(SYSTEM) $(ARGS)

# A run that is broken or incomplete is reported too.
html: $(NEEDED)
	@mkdir -p out; $(BIN)/marginspec check $(SYSTEM) --json >out/$(SYSTEM)-check.json || { code=$$?; [ $$code = 1 -o $$code = 3 ]; }
	@$(BIN)/marginspec report out/$(SYSTEM)-check.json $(wildcard out/$(SYSTEM)-mutate.json) --out out/$(SYSTEM).html

# $(call measured,name,command): the command's JSON document in out/, its figures in findings/ and the README.
measured = @mkdir -p out; $(2) >out/$(SYSTEM)-$(1).json && $(BIN)/python -m tools.readme out/$(SYSTEM)-$(1).json

bench: $(NEEDED)
	$(call measured,bench,$(BIN)/python -m tools.bench $(SYSTEM))

# What disagrees is kept in out/soundness/.
soundness: .venv/installed
	@$(BIN)/python -m tools.soundness $(ARGS)

# What goes wrong is kept in out/hostile/.
hostile: setup
	@$(BIN)/python -m tools.hostile $(ARGS)

# Its engines are large: what else is here needs none of them.
risk: .venv/risk
	@mkdir -p out; $(BIN)/python -m tools.risk $(ARGS) >out/risk.json
	$(BIN)/pytest -q tests/targets/test_risk_service.py tests/model/test_risk_frameworks.py tests/systems/test_lyra_v1_curves.py

# The engine is larger still, and of one Python alone.
simm: .venv/risk .venv/simm
	@mkdir -p out; $(BIN)/python -m tools.risk --service simm $(ARGS) >out/simm.json
	$(BIN)/pytest -q tests/model/test_risk_simm.py tests/desk/test_frameworks.py

# A quarter of an hour of two cores. Half of the questions to the first are portfolios, the others in equal parts.
PORTFOLIOS := $(foreach it,margin margin margin margin option tail history revaluation,--kind $(it))
services: .venv/risk .venv/simm
	$(call measured,valuation-risk,$(BIN)/python -m tools.risk --service risk --count 100000 $(PORTFOLIOS))
	$(call measured,valuation-frameworks,$(BIN)/python -m tools.risk --service frameworks --count 100000)
	$(call measured,valuation-simm,$(BIN)/python -m tools.risk --service simm --count 50000)
	$(call measured,valuation-planted,$(BIN)/python -m tools.risk --planted)
	$(call measured,risk-bench,$(BIN)/python -m tools.risk_bench)

# Dask's scheduler and workers, on this machine.
cluster: .venv/cluster
	$(BIN)/pytest -q tests/runs/test_cluster.py

scaling: .venv/cluster
	@$(BIN)/python -m tools.scaling $(ARGS)

killed: setup
	@$(BIN)/python -m tools.killed $(ARGS)
equivalence-check: .venv/eels
	@$(BIN)/python -m tools.second_evm $(ARGS)
	@$(BIN)/python -m tools.third_evm

fuzz-long: $(NEEDED)
	$(call measured,fuzz-long,$(BIN)/marginspec fuzz $(SYSTEM) --steps $(STEPS) --require-reach --json $(ARGS))

fuzz-anvil: setup
	$(call measured,fuzz-anvil,$(BIN)/marginspec fuzz $(SYSTEM) --target anvil --json $(ARGS))

fuzz-sdk: setup
	$(call measured,fuzz-sdk,$(BIN)/marginspec fuzz morpho-blue --target sdk --json $(ARGS))

mutate: $(NEEDED)
	$(call measured,mutate,$(BIN)/marginspec mutate $(SYSTEM) --json $(ARGS))

# Tests that `make test` leaves out, for they take minutes.
kills: setup
	$(BIN)/pytest -n 2 -m long $(ARGS)

planted: $(NEEDED)
	$(call measured,planted,$(BIN)/python -m tools.planted $(SYSTEM))

packages: .venv/installed
	$(call quietly,npm packages of venues,$(BIN)/python -m tools.contracts_perps_v2 && $(BIN)/python -m tools.contracts_aave_v3 && \
		$(BIN)/python -m tools.contracts_curie)

upgrades: $(NEEDED)
	$(call measured,upgrades,$(BIN)/python -m tools.upgrades $(SYSTEM))

conformance: $(NEEDED)
	$(call measured,vectors,$(BIN)/marginspec vectors $(SYSTEM) --out out/vectors/$(SYSTEM) --json $(ARGS))

session: setup
	@$(BIN)/python -m tools.session findings/session.txt
	@$(BIN)/python -m tools.readme

findings: setup
	@$(BIN)/python -m tools.findings findings/sdk
	@$(BIN)/python -m tools.readme

# About ten minutes: the last point of the curve is most of it.
growth: .venv/installed
	@$(BIN)/python -m tools.growth

tutorial: .venv/installed
	@$(BIN)/python -m tools.tutorial docs/tutorial.md

figures: setup
	@$(BIN)/python -m tools.readme

clean:
	rm -rf .venv node_modules out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- Set-up ------------------------------------------------------------------------------------------------------------

setup: node_modules/.installed .venv/installed

# $(call quietly,what,commands joined by &&): one line when all is well, the end of the log when not.
quietly = @mkdir -p out; echo 'set-up: $(1)' >&2; \
	{ $(2); } >out/setup.log 2>&1 </dev/null || { tail -n 20 out/setup.log >&2; echo 'set-up failed: $(1) (all of it: out/setup.log)' >&2; exit 1; }
stop = { echo "marginspec: $(1)" >&2; exit 1; }
VERSION = $$($(PYTHON) --version 2>/dev/null || echo none)

.venv/ready: constraints.txt
	@$(PYTHON) $(FITS) 2>/dev/null || \
		$(call stop,Python 3.11 or 3.12 is needed; $(PYTHON) here: $(VERSION). Install one or name it: make PYTHON=/path/to/python3.12)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		$(call stop,this Python cannot make virtual environments: install Debian package $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'))
	$(call quietly,Python packages,$(PYTHON) -m venv --clear .venv && $(BIN)/python -m pip install --no-deps -r constraints.txt)
	@touch $@

# Editable: what runs is this checkout, so that a change needs no further installation.
.venv/installed: .venv/ready pyproject.toml
	$(call quietly,marginspec itself, \
		$(BIN)/python -m pip install --no-deps --no-build-isolation --editable . && \
		$(BIN)/python -m pip check)
	@touch $@

.venv/risk: .venv/installed constraints-risk.txt
	$(call quietly,the engines of the risk service,$(BIN)/python -m pip install --no-deps -r constraints-risk.txt)
	@touch $@

.venv/cluster: .venv/installed constraints-cluster.txt
	$(call quietly,Dask,$(BIN)/python -m pip install --no-deps -r constraints-cluster.txt)
	@touch $@

.venv/eels: .venv/installed constraints-eels.txt
	$(call quietly,the executable specification of Ethereum,$(BIN)/python -m pip install --no-deps -r constraints-eels.txt)
	@touch $@

.venv/simm: .venv/installed constraints-simm.txt
	$(call quietly,the engine that SIMM is tested with,$(BIN)/python -m pip install --no-deps -r constraints-simm.txt)
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@command -v node >/dev/null || $(call stop,Node.js 20.19 or later is needed and there is no node here: install it (with npm))
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || \
		$(call stop,Node.js 20.19 or later is needed; here: $$(node --version))
	@command -v npm >/dev/null || $(call stop,npm is needed and not here: install it (it comes with Node.js; on Debian: package npm))
	$(call quietly,contracts and compiler and node,npm ci --ignore-scripts)
	@touch $@
