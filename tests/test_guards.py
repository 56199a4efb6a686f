"""What guards the book cannot be switched off without a test that fails."""

import ast
import configparser
import itertools
import os
import re
import shlex
import shutil
import sys
import tomllib

import pytest
import yaml

from conftest import CHAPTERS, LONG, ROOT, run
from runner import cells, tags
from shows import numbers

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
# What may be added to a call of pytest or ruff: it only shows more.
MORE = re.compile(r"--durations\S*|-v+|--tb=\w+|--color\S*|--strict-config")
OPTIONS = [
    *("--nbval", "--nbval-cell-timeout=60"),
    "--nbval-sanitize-with=tests/sanitize.ini",
    *("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"),
    *("--strict-markers", "-ra", "-q", "-m", "not long"),
]
HELD = {
    f"test_{name}.py"
    for name in (
        "book building chapters classroom commands decks downloads formulas "
        "grading guards hub learner pages polynomial prose reading sabotage "
        "sinefit supply teaching train translation"
    ).split()
}
WHEN = {
    "always": None,
    "merged": "github.event_name != 'pull_request'",
    "weekly": "github.event_name == 'schedule'",
}
ON = {
    "test.yml": {"pull_request", "push", "schedule"},
    "publish.yml": {"push", "workflow_dispatch"},
    "links.yml": {"schedule", "workflow_dispatch"},
}
JOBS = """
test.yml test always bash .ci/run
test.yml windows always $PSNativeCommandUseErrorActionPreference = $true
test.yml windows always jupyter-book build . -W -n --keep-going
test.yml windows always pytest
test.yml pins always make pins
test.yml matrix merged python tools/matrix.py
test.yml cluster merged docker build -f classroom/Dockerfile -t one-curve .
test.yml cluster merged -f classroom/z2jh-values.yaml > /dev/null
test.yml newest weekly jupyter-book build . -W -n --keep-going
test.yml newest weekly pytest --nbval-sanitize-with=tests/versions.ini
test.yml colab weekly pytest notebooks --nbval-sanitize-with=tests/versions.ini
test.yml audit merged pipx run pip-audit --no-deps --disable-pip -r \
constraints.txt
publish.yml build always make book
publish.yml copies always make classroom
links.yml links always jupyter-book build . --builder linkcheck
"""
STUB = """#!/bin/sh
called=$(echo "$(basename "$0") $*" | sed -E 's/ (--durations=[0-9]+|-v+)//g')
echo "$called" >> "$LOG"
case "$PYTEST_ADDOPTS$ONLY" in ?*) echo "tests are chosen" >> "$LOG";; esac
case "${MAKEFLAGS%% *}" in *[ik]*) echo "make goes on" >> "$LOG";; esac
case "$called" in *$FAILS*) exit 1;; esac
"""


# What the two commands call, word for word. Change both, or neither.
PROPERTIES = "tests/test_sinefit.py tests/test_polynomial.py"
OF_MODULES = (
    f"{PROPERTIES} tests/test_train.py tests/test_processes.py "
    "tests/test_learner.py"
)
PARTS = [
    "ruff format --check --quiet .",
    "ruff check --quiet .",
    f"pytest -n 0 --cov=notebooks {OF_MODULES}",
    "make --no-print-directory _build/proved",
    f"pytest -n {os.cpu_count()} tests "
    + " ".join(f"--ignore={file}" for file in OF_MODULES.split()),
]
LONG_PARTS = [
    "pytest -m long",
    f"pytest --hypothesis-profile=search {PROPERTIES}",
    *(f"make --no-print-directory {target}" for target in LONG),
]
STAMPS = ("ready", "hub", "print")
# Files that would set aside what pyproject.toml says.
RIVALS = ("pytest.ini", "tox.ini", "setup.cfg", "ruff.toml", ".coveragerc")
RIVALS += (".ruff.toml", ".pytest.ini", "pytest.toml")


def stubs(folder, *names):
    """Write programs that note how they are called, and fail when told to."""
    for name in names:
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    return folder


def calls(command, folder, fails, **variables):
    """Return how a command ended, and what it called."""
    log = folder / "log"
    log.write_text("")
    fresh = {"MAKEFLAGS": "", "ONLY": "", "LOG": str(log), "FAILS": fails}
    done = run(command, ROOT, **fresh, **variables)
    return done.returncode, log.read_text().splitlines()


@pytest.mark.skipif(os.name != "posix", reason="needs a Unix shell")
def test_ci_runs_the_readmes_commands_and_fails_with_any_of_them(tmp_path):
    path = (
        f"{stubs(tmp_path, 'make', 'chromium', 'bwrap')}:{os.environ['PATH']}"
    )
    wanted = ["make book", "make test", "make test-long"]
    script = ROOT / ".ci" / "run"
    assert calls(script, tmp_path, "none", PATH=path) == (0, wanted)
    for number, target in enumerate(wanted, 1):
        code, called = calls(script, tmp_path, target, PATH=path)
        assert code != 0
        assert called == wanted[:number]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^\$ (make \w+)", readme, re.M) == wanted[:2]


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
@pytest.mark.parametrize(
    ("target", "parts"),
    [("test", PARTS), ("test-long", LONG_PARTS)],
    ids=["test", "test-long"],
)
def test_all_parts_run_though_one_fails(target, parts, tmp_path):
    stubs(tmp_path, "ruff", "pytest", "make")
    made = [f"--old-file={sys.prefix}/{name}" for name in STAMPS]
    command = [shutil.which("make"), target, "--old-file=classroom", *made]
    command += [f"VENV={sys.prefix}", f"BIN={tmp_path}"]
    command += [f"MAKE={tmp_path / 'make'}"]

    for fails in ("nothing", *parts):
        code, called = calls(command, tmp_path, fails)
        assert (code == 0) == (fails == "nothing"), (
            f"make {target} ended with {code}, though {fails} failed"
        )
        assert sorted(called) == sorted(parts), "see PARTS and LONG_PARTS"


def test_the_bounds_are_where_they_were():
    wanted = {"fail_under": 100, "show_missing": True, "skip_covered": True}
    assert SETTINGS["coverage"] == {
        "run": {"branch": True, "source": ["notebooks"]},
        "report": wanted,
    }
    pytest_ = SETTINGS["pytest"]["ini_options"]
    assert {*pytest_["testpaths"]} == {"tests", "notebooks"}
    assert not {*pytest_["norecursedirs"]} & {"tests", "notebooks"}
    assert pytest_["xfail_strict"] is True
    assert not {"python_files", "python_functions"} & {*pytest_}
    assert "ignore" not in pytest_["filterwarnings"]
    options = shlex.split(pytest_["addopts"])
    options = [option for option in options if not MORE.fullmatch(option)]
    assert sorted(options) == sorted(OPTIONS), "is a test left out now?"
    assert {*SETTINGS["ruff"]["lint"]["select"]} >= {*"EFWBD", "RUF"}
    assert not {"exclude", "extend-exclude"} & {*SETTINGS["ruff"]}
    tracked = run(["git", "ls-files"], ROOT).stdout.splitlines()
    aside = [f for f in tracked if f.rpartition("/")[2] in RIVALS]
    assert not aside, f"pyproject.toml would not count beside {aside}"


def test_no_test_is_left_out():
    """What a test needs and lacks, a fixture or a skipif says, with reasons.

    Collected must be what the files define: nothing in them, in conftest or
    in a second conftest takes a test away.
    """
    tests = sorted((ROOT / "tests").glob("*.py"))
    away = re.compile(
        r"xfail|mark\.skip\b|skipif\((?:True|1|['\"])|__test__|collect_ignore"
        r"|pytest_collection_modifyitems|pytest_itemcollected|allow_module"
        r"|^def _test_|importorskip\((?!.*reason)"
    )
    pragma = re.compile(r"pragma: no (cover|branch)")
    found = [
        f"{path.name}, line {number}: {line.strip()}"
        for path in [*tests, *(ROOT / "notebooks").glob("*.py")]
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if path.name != "test_guards.py"
        and not line.lstrip().startswith("# ")
        and (away.search(line) or pragma.search(line))
    ]
    assert not found, f"these take tests, or lines of code, away: {found}"
    assert [*ROOT.rglob("notebooks/conftest.py")] == []
    held = {path.name for path in tests if path.name.startswith("test_")}
    lost = HELD - held
    assert not lost, f"these files of tests have gone: {lost}"
    for path in tests:
        code = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(code):
            if isinstance(node, ast.FunctionDef) and "test_" in node.name[:5]:
                ends = isinstance(node.body[0], ast.Return)
                assert not ends, f"{path.name}: {node.name} checks nothing"


def outputs(path):
    """Yield each text that a chapter stores, drawings included."""
    for cell in cells(path, "code"):
        for out in cell.outputs:
            yield from (out.get("text", ""), *out.get("data", {}).values())


def test_what_is_not_compared_is_little():
    """A pattern hides one figure of a line, or digits that no eye can see."""
    ini = configparser.RawConfigParser()
    ini.read(ROOT / "tests" / "sanitize.ini", "utf-8")
    rules = [
        (ini[name]["regex"], ini[name]["replace"]) for name in ini.sections()
    ]
    assert len(rules) == 3
    for shown in ("nan", "inf", "about 1e-14", "1e-14, to 9.14"):
        line = f"largest relative difference: {shown}"
        kept = re.sub(*rules[0], line)
        assert kept == line or kept.endswith(", to 9.14"), line
    for drawn in ("L -12.345678 -9.876543 ", "M 1.239999 2.5 "):
        kept = re.sub(*rules[1], drawn)
        assert numbers(kept) == pytest.approx(numbers(drawn), abs=0.01)
    other = "9.14126 0.32409 above the floor 1521.4475, expected 3.0 2.0"
    for rule in rules:
        assert re.sub(*rule, other) == other
    number = re.compile(r"-?\d+\.\d+")
    for text in itertools.chain(*map(outputs, CHAPTERS)):
        shown = text
        for regex, replace in rules:
            shown = re.sub(regex, replace, shown)
        part = re.compile(r'["#][pmh][0-9a-f]{10}["\)]')
        text = part.sub(lambda m: f"{m[0][0]}a part{m[0][-1]}", text)
        for before, after in zip(
            text.splitlines(), shown.splitlines(), strict=True
        ):
            if before != after and "largest relative" not in before:
                assert re.fullmatch(r".*[ML] \S+ \S+ ", before), before
                for old, new in zip(
                    number.findall(before), number.findall(after), strict=True
                ):
                    assert abs(float(old) - float(new)) < 0.01
            elif before != after:
                assert after == "largest relative difference"


def test_few_outputs_are_left_out_and_none_is_of_a_loop_or_a_check():
    left_out = []
    for path in CHAPTERS:
        for cell in cells(path, "code"):
            own = {*tags(cell)}
            assert not own & {"nbval-skip", "raises-exception"}
            if "nbval-ignore-output" in own:
                assert not own & {"loop", "check", "verify", "solution"}
                left_out.append(path.stem)
            words = cell.source.upper()
            assert not re.search("NBVAL|PYTEST_VALIDATE", words), path.stem
    assert len(left_out) <= 17  # shows.py holds them; 5 are of times


def test_nothing_in_ci_hides_a_failure_or_runs_strangers_code():
    """Comments aside: each line of CI, and of the Makefile's recipes."""
    folder = ROOT / ".github" / "workflows"
    assert {path.suffix for path in folder.iterdir()} == {".yml"}
    hidden = re.compile(
        r"\|\|\s*(true|:|exit 0|echo|/bin/true|printf)|;\s*(true|exit 0|:)\s*$"
        r"|continue-on-error|set \+e|exit-zero|shell:|\|\s*tee\b|defaults:"
        r"|curl|wget|MAKEFLAGS=|PYTEST_ADDOPTS|^\t@?-|\.IGNORE"
        r"|pull_request_target|workflow_run|issue_comment"
        r"|secrets\W(?!GITHUB_TOKEN)|\$\{\{\s*github\.(event\.(?!_)|head_ref)"
    )
    allowed = re.compile(r"if: github\.event_name [!=]= '\w+'$|as_root=")
    found = [
        f"{path.name}, line {number}: {line.strip()}"
        for path in [ROOT / ".ci" / "run", ROOT / "Makefile", *WORKFLOWS]
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if hidden.search(line.partition(" #")[0])
        and not line.lstrip().startswith("#")
        and not allowed.search(line)
    ]
    assert not found, f"these hide a failure, or trust a stranger: {found}"


def test_ci_runs_what_it_did():
    """Each job, when it runs, and its commands, word for word."""
    workflows = {p.name: yaml.safe_load(p.read_text()) for p in WORKFLOWS}
    for name, triggers in ON.items():
        told = workflows[name][True]  # for YAML, the word on means true
        assert {*told} == triggers, name
        assert "paths" not in str(told), f"{name} leaves changes out"
    for row in JOBS.replace("\\\n", "").strip().splitlines():
        name, job, when, command = row.split(" ", 3)
        told = workflows[name]["jobs"].get(job, {"steps": []})
        runs = "\n".join(step.get("run", "") for step in told["steps"])
        lines = [line.partition(" #")[0].strip() for line in runs.split("\n")]
        assert command in lines, f"{name}, {job} does not run {command}"
        assert told.get("if") == WHEN[when], f"{name}, {job} runs {when}"
        assert "exclude" not in str(told.get("strategy")), (name, job)
