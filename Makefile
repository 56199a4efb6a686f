# Every target makes .venv first when it needs to, and may be run twice.
# Another Python: make PYTHON=python3.12 book

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --no-compile --disable-pip-version-check \
  -c constraints.txt
PYTHONS := 3.11 3.12 3.13 3.14
CHAPTERS := $(wildcard notebooks/*.ipynb)
CHOSEN = $(foreach one,$(or $(ONLY),0 1),$(wildcard notebooks/$(one)*.ipynb))
MODULES := $(wildcard notebooks/*.py notebooks/*.csv)
PAGES := _toc.yml tools/copies.py $(wildcard *.md book/*.md book/images/* notebooks/*.*)
LOOKS := _config.yml $(wildcard book/_ext/*.py book/style/* book/templates/*)
TITLE := one-curve-seven-times

# Several notebooks run at once, so each keeps to one core. Their figures are
# stored, whatever a reader's own Matplotlib is set to.
export OMP_NUM_THREADS ?= 1
unexport MPLBACKEND
# Each of the tests' workers would compile them anew.
unexport PYTHONDONTWRITEBYTECODE
# A PyTorch for GPUs says that it found none, and a chapter does not.
export TORCH_LOGS ?= -all
# What pip installs belongs into VENV, and not to a user's own packages.
export PIP_USER := 0
# A proxy is for the network, not for what this machine asks itself.
export no_proxy := localhost,127.0.0.1,$(no_proxy),$(NO_PROXY)
export NO_PROXY := $(no_proxy)
# Without a home to write to, Matplotlib would say so in each chapter's output.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export HOME := $(CURDIR)/_build/home
endif

# Tests wait for browsers and kernels: one more of them at once than cores.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= \
  $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help lab book pages zip one-page pdf epub clean classroom room \
  collect grade hub load test style proof test-long long search notebooks \
  matrix pins audit constraints

##@ To read and to run
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# The set-up: what lab takes, on it what the book takes, and on that what only
# a class, the tests or print take. A stamp is written last, so that a set-up
# that was interrupted is done again; so is one whose Python has gone, or whose
# folder was moved: book.pth, by which the chapters' modules can be imported
# from anywhere, then leads nowhere.
ifneq ($(shell $(BIN)/python -c "import sys; \
  print(any(path.endswith('notebooks') for path in sys.path))" 2>/dev/null),True)
.PHONY: $(VENV)/lab
endif

# Where there is no NVIDIA device, PyTorch for the CPU is gigabytes less. It is
# asked for alone, and once: where its address is out of reach, nothing waits.
CPU := https://download.pytorch.org/whl/cpu

$(VENV)/lab: .binder/chapters.txt constraints.txt
	@$(PYTHON) -c 'import sys; \
	  sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split())' \
	  2> /dev/null || { echo "This book needs Python $(firstword $(PYTHONS)) to \
	$(lastword $(PYTHONS)), and $(PYTHON) is no such one on this machine: \
	install one, or name it, as in make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV): some minutes the first time"
	@$(PYTHON) -m venv --clear $(VENV)
	@test "$$(uname)" != Linux || nvidia-smi -L > /dev/null 2>&1 || \
	  $(PIP) torch --no-deps --index-url $(CPU) --retries 0 --timeout 10 \
	  2> /dev/null || echo "PyTorch for the CPU did not come from $(CPU): \
	taking the one that pip finds, which may bring gigabytes for GPUs."
	@$(PIP) -r $< jupyterlab
	@$(BIN)/python -c 'import pathlib, site; pathlib.Path( \
	  site.getsitepackages()[0], "book.pth").write_text( \
	  str(pathlib.Path("notebooks").resolve()))'
	@mkdir -p $(VENV)/etc/ipython # no warning for each kernel that starts
	@echo "c.IPKernelApp.log_level = 'ERROR'" \
	  > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@

$(VENV)/ready: requirements.txt $(VENV)/lab
$(VENV)/class: classroom/requirements.txt $(VENV)/ready
$(VENV)/tests: tests/requirements.txt $(VENV)/class
$(VENV)/print: tools/requirements-print.txt $(VENV)/ready
$(VENV)/ready $(VENV)/tests $(VENV)/print:
	@$(PIP) -r $<
	@touch $@

# A learner's JupyterLab has no grading, and no news.
$(VENV)/class:
	@$(PIP) -r $<
	@rm -f $(VENV)/etc/jupyter/jupyter_server_config.d/nbgrader.json
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyter/nbgrader \
	  @jupyterlab/apputils-extension:announcements 2> /dev/null
	@touch $@

# Who is root, in a container say, is root on a machine of their own.
lab: $(VENV)/lab ## open chapters of your own, unsolved, in JupyterLab
	@$(BIN)/python tools/hand_out.py work
	$(BIN)/jupyter lab --allow-root work

book: _build/proved pages ## run the chapters and build _build/html
	@echo "Read it: $$PWD/_build/html/index.html"

# The chapters that changed, or all when a module did: each must say again
# what it stores, for that is what the pages show.
_build/proved: $(VENV)/ready $(CHAPTERS) $(MODULES) pyproject.toml \
  $(wildcard tests/kernels.py tests/*.ini)
	@echo "Running the chapters"
	@mkdir -p _build
	@$(BIN)/pytest $(if $(filter-out %.ipynb,$?),$(CHAPTERS),$?)
	@touch $@

BUILD := $(BIN)/jupyter-book build . --path-output _build/next -W -n \
  --keep-going

# What fails to build leaves the last good book in place. When what all pages
# share has changed, or their address, or a build did not end well, all are
# made from nothing.
pages: _build/html/index.html ## build the pages, and run no chapter

_build/html/index.html: $(VENV)/ready _build/looks $(PAGES)
	@echo "Building the book"
	@mv _build/looks _build/building
	@$(BUILD) > _build/book.log
	@mv _build/building _build/looks
	@rm -rf _build/copy && cp -r _build/next/_build/html _build/copy
	@rm -rf _build/html && mv _build/copy _build/html

ADDRESS := echo "$$GITHUB_REPOSITORY $$GITHUB_REF_NAME $$BOOK_URL \
  $$JUPYTERHUB_URL"
ifneq ($(shell $(ADDRESS) | cmp - _build/looks 2>&1),)
.PHONY: _build/looks
endif

_build/looks: $(LOOKS)
	@rm -rf _build/next && mkdir -p _build/next
	@$(ADDRESS) > $@

zip: book ## pack the pages into one file
	@$(BIN)/python -m zipfile -c _build/next.zip _build/html
	@mv _build/next.zip _build/$(TITLE).zip
	@echo "Hand out $$PWD/_build/$(TITLE).zip"

one-page: book
	@$(BUILD) --builder singlehtml > _build/one_page.log

pdf: ## print the book to one file
epub: ## make the book for e-readers
pdf epub: one-page $(VENV)/print
	@$(BIN)/python tools/*_$@.py _build/next/_build/singlehtml \
	  _build/next/book.$@
	@mv _build/next/book.$@ _build/$(TITLE).$@
	@echo "Print or read $$PWD/_build/$(TITLE).$@"

clean: ## remove all that was built, the set-up too
	rm -rf _build $(VENV)

##@ To teach
# A chapter that is malformed leaves the last good copies in place.
classroom: _build/classroom/student.zip ## copies to hand out, teach and grade
	@echo "Teach from $$PWD/_build/classroom"

_build/classroom/student.zip: $(VENV)/class $(CHAPTERS) $(MODULES) \
  $(wildcard classroom/*.* classroom/slides/* book/_ext/*.py) \
  tools/copies.py tools/readme_of_copies.md .binder/chapters.txt constraints.txt
	@echo "Writing copies for students, teachers, slides and nbgrader"
	@$(BIN)/python classroom/prepare.py

room: classroom ## N=20: see that this machine is ready for so many
	@$(BIN)/python classroom/room.py

collect: $(VENV)/ready ## FROM=folder: take in what learners hand in
	@$(BIN)/python classroom/collect.py

grade: classroom ## grade it: points, a report, and feedback
	@$(BIN)/python classroom/grade.py

hub: classroom ## a JupyterHub for one room, on this machine
	@$(BIN)/jupyterhub -f classroom/jupyterhub_config.py

load: classroom ## N="10 40": see how so many fare on a hub at once
	@$(BIN)/python classroom/load_hub.py

##@ To change the book
# All parts run and report, though an earlier one fails.
test: $(VENV)/tests ## prove all of it; ONLY=03 what sees a change there
ifdef ONLY
	@$(BIN)/ruff check --quiet . && $(BIN)/pytest -n 2 $(or $(wildcard \
	  notebooks/$(ONLY)*.ipynb tests/*/$(ONLY)*.py tests/*/test_$(ONLY)*.py),-k '$(ONLY)')
else
	@$(MAKE) -kj1 --no-print-directory style _build/proved proof
endif

style:
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

proof:
	@$(BIN)/pytest tests

test-long: classroom $(VENV)/tests $(VENV)/print ## prove what is too slow for make test
	@$(MAKE) -kj1 --no-print-directory long search matrix pins audit load

long:
	@$(BIN)/pytest -m long

# More examples for the modules; and no line of them is untried.
search:
	@$(BIN)/pytest --hypothesis-profile=search tests/modules tests/chapters \
	  --cov=notebooks

# A notebook that fails keeps the outputs that it has.
notebooks: $(VENV)/ready ## run the chapters and store their outputs; ONLY=03 one
	@echo "Running $(words $(CHOSEN)) notebooks"
	@printf "%s\n" $(CHOSEN) | sort -r | xargs -P 2 -n 1 \
	  $(BIN)/jupyter nbconvert --config tools/execute.py
	@$(BIN)/python tools/draw_pictures.py

matrix: classroom $(VENV)/tests ## run the notebooks as others would: 15 minutes
	@$(PIP) -r tools/requirements-matrix.txt
	@$(BIN)/pytest tools/matrix.py -n0 -vv --tb=short --durations=0

# uv lies apart: what asks it alone does not wait for the book's own set-up.
UV := _build/uv/bin/uv
LISTS := requirements.txt tests/requirements.txt classroom/requirements.txt \
  tools/requirements-matrix.txt tools/requirements-print.txt
PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 \
  aarch64-apple-darwin x86_64-pc-windows-msvc

$(UV):
	@$(PYTHON) -m venv _build/uv
	@_build/uv/bin/python -m pip install uv

audit: export CHROME_PATH ?= $(CHROMIUM)
audit: book $(UV) ## weigh the pages; ask Lighthouse and zizmor
	@$(UV) tool run zizmor==1.32.0 --quiet --offline .github
	@if command -v npx > /dev/null; then cd _build && npx --yes \
	  @lhci/cli@0.15.1 autorun --config=../tools/lighthouse.yml; \
	else echo "no npm on this machine: no Lighthouse"; fi

# PyTorch keeps its pin, which is raised by hand in constraints.txt: what the
# pages tell was measured with it.
constraints: $(UV) ## pin anew all that the book uses
	@grep ^torch== constraints.txt | $(UV) pip compile $(LISTS) \
	  --constraints - --universal --python-version $(firstword $(PYTHONS)) \
	  --annotation-style line --upgrade --quiet \
	  --custom-compile-command "make constraints" -o constraints.txt

# A reader may have no compiler, and PyTorch's wheels want macOS 14.
pins: export MACOSX_DEPLOYMENT_TARGET := 14.0
pins: $(UV) ## see that all is pinned, with wheels wherever the book runs
	@cut -d " " -f 1 constraints.txt > _build/uv/pins
	@ok=true; for python in $(PYTHONS); do for machine in $(PLATFORMS); do \
	  echo "Python $$python, $$machine"; \
	  $(UV) pip compile $(LISTS) -c constraints.txt --no-build --quiet \
	    --no-annotate --no-header --upgrade -o _build/uv/used \
	    --python-version $$python --python-platform $$machine \
	    || { ok=false; continue; }; \
	  ! grep -vxFf _build/uv/pins _build/uv/used || { ok=false; \
	    echo "These are not pinned in constraints.txt: make constraints"; }; \
	done; done; $$ok
