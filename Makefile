# Every target makes .venv first when it needs to, and may be run twice.
# Another Python: make PYTHON=python3.12 book

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
CHAPTERS := $(wildcard notebooks/*.ipynb)
MODULES := $(wildcard notebooks/*.py)
LOOKS := _config.yml $(wildcard book/_ext/* book/style/*)
TESTS_OF_MODULES := $(addprefix tests/test_,sinefit.py polynomial.py \
  properties.py exercises.py)
TITLE := one-curve-seven-times

# Several notebooks run at once, so each keeps to one core. Their figures are
# stored, whatever a reader's own Matplotlib is set to.
export OMP_NUM_THREADS ?= 1
unexport MPLBACKEND

# Tests wait for browsers and kernels: one more of them at once than cores.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell \
  expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help book pages test test-long lab notebooks classroom hub load \
  measure matrix audit zip pdf bench constraints clean

##@ To read and to run
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# The set-up. The chapters' modules can then be imported from any folder. The
# stamp, ready, is written last, so that a set-up that was interrupted is done
# again, as is one whose Python has gone.
ifneq ($(shell $(BIN)/python -c "print(1)" 2>/dev/null),1)
.PHONY: $(VENV)/ready
endif

$(VENV)/ready: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  2>/dev/null || { echo "This book needs Python 3.11 or newer, and \
	$(PYTHON) is not. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV): some minutes the first time"
	@rm -f $@
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) -r requirements.txt
	@$(BIN)/python -c 'import pathlib, site; pathlib.Path( \
	  site.getsitepackages()[0], "book.pth").write_text("$(CURDIR)/notebooks")'
	@rm -f $(VENV)/etc/jupyter/jupyter_server_config.d/nbgrader.json
	@$(BIN)/jupyter labextension disable @jupyter/nbgrader \
	  --level=sys_prefix 2>/dev/null # no grading in a reader's JupyterLab
	@mkdir -p $(VENV)/etc/ipython # no warning for each kernel that starts
	@echo "c.IPKernelApp.log_level = 'ERROR'" \
	  > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@

lab: $(VENV)/ready ## open the chapters in JupyterLab
	$(BIN)/jupyter lab notebooks

book: _build/proved pages ## run the chapters and build _build/html
	@echo "Read it: $(CURDIR)/_build/html/index.html"

# The chapters that changed, or all when a module did: each must say again
# what it stores, for that is what the pages show.
_build/proved: $(VENV)/ready $(CHAPTERS) $(MODULES)
	@echo "Running the chapters"
	@mkdir -p _build
	@$(BIN)/pytest $(if $(filter $(VENV)/ready %.py,$?),$(CHAPTERS),$?) || \
	  { echo "See above. If that is what the chapter should now say: \
	make notebooks" >&2; exit 1; }
	@touch $@

# A book that fails to build leaves the last good one in place. When what all
# pages share has changed, they are made from nothing.
pages: $(VENV)/ready
	@mkdir -p _build
	@[ -z "$$(find $(LOOKS) -newer _build/looks 2>&1)" ] || \
	  { rm -rf _build/next; touch _build/looks; }
	@$(BIN)/jupyter-book build . --path-output _build/next \
	  -W -n --keep-going > _build/book.log
	@rm -rf _build/html && cp -r _build/next/_build/html _build/html

zip: book ## pack the pages into one file
	@cd _build && $(abspath $(BIN))/python -m zipfile -c next.zip html
	@mv _build/next.zip _build/$(TITLE).zip
	@echo "Hand out $(CURDIR)/_build/$(TITLE).zip"

pdf: book ## print the book to one file
	@$(BIN)/jupyter-book build . --builder singlehtml \
	  --path-output _build/next -W -n --keep-going > _build/pdf.log
	@$(BIN)/python tools/paper.py _build/next/_build/singlehtml \
	  _build/next/book.pdf
	@mv _build/next/book.pdf _build/$(TITLE).pdf
	@echo "Print it: $(CURDIR)/_build/$(TITLE).pdf"

clean: ## remove all that was built, the set-up too
	rm -rf _build $(VENV)

##@ To teach
# A chapter that is malformed leaves the last good copies in place.
classroom: export PYTHONPATH := book/_ext
classroom: $(VENV)/ready ## copies to hand out, to teach from and to grade
	@echo "Writing copies for students, teachers, slides and nbgrader"
	@mkdir -p _build
	@$(BIN)/python classroom/kit.py

$(VENV)/hub: $(VENV)/ready classroom/requirements.txt
	@$(PIP) -r classroom/requirements.txt
	@touch $@

hub: classroom $(VENV)/hub ## a JupyterHub for one room, on this machine
	@$(BIN)/jupyterhub -f classroom/jupyterhub_config.py

load: classroom $(VENV)/hub ## N=10: see how so many fare on a hub at once
	@$(BIN)/python classroom/load.py

measure: classroom $(VENV)/hub ## write what the teacher's page tells of costs
	@$(BIN)/python classroom/measure.py

##@ To change the book
test: $(VENV)/ready ## prove all of it; ONLY=03 what can see a change there
	@ok=true; \
	echo "Format and lint"; \
	$(BIN)/ruff format --check --quiet . || ok=false; \
	$(BIN)/ruff check --quiet . || ok=false; \
	echo "Run the notebooks, compare their outputs, and test the rest"; \
	$(BIN)/pytest $(addprefix --ignore=,$(TESTS_OF_MODULES)) || ok=false; \
	echo "Test the modules, every branch of them"; \
	$(BIN)/pytest --cov=notebooks $(TESTS_OF_MODULES) || ok=false; \
	$$ok

# A notebook that fails keeps the outputs that it has.
notebooks: $(VENV)/ready ## run the chapters and store their outputs
	@echo "Running $(words $(CHAPTERS)) notebooks"
	@printf "%s\n" $(CHAPTERS) | sort -r | xargs -P 2 -n 1 \
	  $(BIN)/jupyter nbconvert --config tools/execute.py
	@$(BIN)/python tools/pictures.py

matrix: $(VENV)/ready ## run the notebooks as others would: 15 minutes
	@$(PIP) -r tools/matrix.txt
	@$(BIN)/python tools/matrix.py

audit: book ## weigh the pages and ask Lighthouse about them
	@$(BIN)/python tools/audit.py

bench: $(VENV)/ready ## measure how long things take, as ratios
	@$(BIN)/python tools/bench.py

constraints: $(VENV)/ready ## pin anew all that the book uses
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile requirements.txt tools/matrix.txt \
	  classroom/requirements.txt --universal --python-version 3.11 \
	  --annotation-style line --upgrade --quiet \
	  --custom-compile-command "make constraints" -o constraints.txt
