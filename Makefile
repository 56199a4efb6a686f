# Every target makes .venv first when it needs to, and may be run twice.
# Another Python: make PYTHON=python3.12 book

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CHAPTERS := $(wildcard notebooks/*.ipynb)
MODULES := $(addprefix tests/test_,sinefit.py polynomial.py properties.py \
  exercises.py)

# Several notebooks run at once, so each keeps to one core. Their figures are
# stored, whatever a reader's own Matplotlib is set to.
export OMP_NUM_THREADS ?= 1
unexport MPLBACKEND

# Tests wait for browsers and kernels: one more of them at once than cores.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell \
  expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help book test lab notebooks classroom hub load measure matrix audit \
  zip pdf bench constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

# The set-up. The chapters' modules can then be imported from any folder. The
# stamp, ready, is written last, so that a set-up that was interrupted is done
# again, as is one whose Python has gone.
ifneq ($(shell $(BIN)/python -c "print(1)" 2>/dev/null),1)
.PHONY: $(VENV)/ready
endif

$(VENV)/ready: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  2>/dev/null || { echo "This book needs Python 3.10 or newer, and \
	$(PYTHON) is not. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV): some minutes the first time"
	@rm -f $@
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
	  -r requirements.txt -c constraints.txt
	@$(BIN)/python -c 'import pathlib, site; pathlib.Path( \
	  site.getsitepackages()[0], "book.pth").write_text("$(CURDIR)/notebooks")'
	@rm -f $(VENV)/etc/jupyter/jupyter_server_config.d/nbgrader.json
	@$(BIN)/jupyter labextension disable @jupyter/nbgrader \
	  --level=sys_prefix # no grading in a reader's JupyterLab
	@mkdir -p $(VENV)/etc/ipython # no warning for each kernel that starts
	@echo "c.IPKernelApp.log_level = 'ERROR'" \
	  > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@

# A book that fails to build leaves the last good one in place.
book: $(VENV)/ready ## run the chapters and build _build/html
	@echo "Building the book"
	@mkdir -p _build
	@$(BIN)/jupyter-book build . --path-output _build/next \
	  -W -n --keep-going > _build/book.log
	@rm -rf _build/html && cp -r _build/next/_build/html _build/html
	@echo "Read it: $(CURDIR)/_build/html/index.html"

test: $(VENV)/ready ## prove everything
	@echo "Format and lint"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@echo "Run the notebooks, compare their outputs, and test the rest"
	@$(BIN)/pytest $(addprefix --ignore=,$(MODULES))
	@echo "Test the modules, every branch of them"
	@$(BIN)/pytest --cov=notebooks $(MODULES)

lab: $(VENV)/ready ## open the chapters in JupyterLab
	$(BIN)/jupyter lab notebooks

# A notebook that fails keeps the outputs that it has.
notebooks: $(VENV)/ready ## run the chapters and store their outputs
	@echo "Running $(words $(CHAPTERS)) notebooks"
	@printf '%s\n' $(CHAPTERS) | sort -r | xargs -P 2 -n 1 \
	  $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
	  --log-level=WARN --ExecutePreprocessor.timeout=60 \
	  --ExecutePreprocessor.record_timing=False \
	  --Exporter.preprocessors=nbconvert.preprocessors.CoalesceStreamsPreprocessor \
	  --ClearMetadataPreprocessor.enabled=True \
	  --ClearMetadataPreprocessor.clear_cell_metadata=False \
	  --ClearMetadataPreprocessor.preserve_nb_metadata_mask=kernelspec
	@$(BIN)/python book/_ext/pictures.py
	@$(BIN)/python book/_ext/takeaway.py

matrix: $(VENV)/ready ## run the notebooks as others would: 15 minutes
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
	  -r tests/matrix.txt -c constraints.txt
	@PYTHONPATH=book/_ext $(BIN)/python tests/matrix.py

# A chapter that is malformed leaves the last good copies in place.
classroom: $(VENV)/ready ## copies to hand out, to teach from and to grade
	@echo "Writing copies for students, teachers, slides and nbgrader"
	@mkdir -p _build
	@PYTHONPATH=book/_ext $(BIN)/python classroom/kit.py

$(VENV)/hub: $(VENV)/ready classroom/requirements.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
	  -r classroom/requirements.txt -c constraints.txt
	@touch $@

hub: classroom $(VENV)/hub ## a JupyterHub for one room, on this machine
	@$(BIN)/jupyterhub -f classroom/jupyterhub_config.py

load: classroom $(VENV)/hub ## N=10: see how so many fare on a hub at once
	@$(BIN)/python classroom/load.py

measure: classroom $(VENV)/hub ## write what the teacher's page tells of costs
	@$(BIN)/python classroom/measure.py

audit: book ## weigh the pages and ask Lighthouse about them
	@PYTHONPATH=book/_ext $(BIN)/python tests/audit.py

zip: book ## pack the book into one file to hand out
	@cd _build && $(abspath $(BIN))/python -m zipfile -c next.zip html
	@mv _build/next.zip _build/one-curve-seven-times.zip
	@echo "Hand out $(CURDIR)/_build/one-curve-seven-times.zip"

pdf: book ## print the book: _build/one-curve-seven-times.pdf
	@$(BIN)/jupyter-book build . --builder singlehtml \
	  --path-output _build/next -W -n --keep-going > _build/pdf.log
	@$(BIN)/python book/_ext/paper.py _build/next/_build/singlehtml \
	  _build/next/book.pdf
	@mv _build/next/book.pdf _build/one-curve-seven-times.pdf
	@echo "Print it: $(CURDIR)/_build/one-curve-seven-times.pdf"

bench: $(VENV)/ready ## measure how long things take, as ratios
	@$(BIN)/python tests/bench.py

constraints: $(VENV)/ready ## pin anew all that the book uses
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile requirements.txt tests/matrix.txt \
	  classroom/requirements.txt --universal --python-version 3.10 --annotation-style line --upgrade \
	  --quiet --custom-compile-command "make constraints" -o constraints.txt

clean: ## remove all that was built, the set-up too
	rm -rf _build $(VENV)
