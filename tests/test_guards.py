"""What guards the book cannot be switched off without a test that fails."""

import configparser
import itertools
import os
import re
import shutil
import sys
import tomllib

import pytest

from conftest import CHAPTERS, LONG, ROOT, run
from runner import cells, tags

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
CI = [ROOT / ".ci" / "run", *(ROOT / ".github" / "workflows").iterdir()]
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
case "$(basename "$0") $*" in *$FAILS*) exit 1;; esac
"""


PARTS = ["ruff format", "ruff check", "pytest --ignore", "pytest -n 0 --cov"]
LONG_PARTS = ["pytest -m long", "pytest --hyp"]
OF_MODULES = ["tests/test_sinefit.py", "tests/test_polynomial.py"]
OF_MODULES += ["tests/test_learner.py"]
LONG_PARTS += [f"make --no-print-directory {target}" for target in LONG]


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
    done = run(command, ROOT, LOG=str(log), FAILS=fails, **variables)
    return done.returncode, log.read_text().splitlines()


@pytest.mark.skipif(os.name != "posix", reason="needs a Unix shell")
def test_ci_runs_the_readmes_commands_and_fails_with_any_of_them(tmp_path):
    path = f"{stubs(tmp_path, 'make', 'chromium')}:{os.environ['PATH']}"
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
    made = [f"--old-file={sys.prefix}/{name}" for name in ("ready", "hub")]
    command = [shutil.which("make"), target, "--old-file=classroom", *made]
    command += [f"VENV={sys.prefix}", f"BIN={tmp_path}"]
    command += [f"MAKE={tmp_path / 'make'}"]

    def ran(called):
        return all(any(c.startswith(part) for c in called) for part in parts)

    for fails in ("nothing", *parts):
        code, called = calls(command, tmp_path, fails)
        assert (code == 0) == (fails == "nothing"), fails
        assert ran(called), fails
    if target == "test":  # what one leaves out, the other runs, and no more
        *_, rest, modules = sorted(called, key=lambda c: "--cov" in c)
        left_out = [w.removeprefix("--ignore=") for w in rest.split()[1:]]
        assert left_out == modules.split()[4:] == OF_MODULES


def test_the_bounds_are_where_they_were():
    wanted = {"fail_under": 100, "show_missing": True, "skip_covered": True}
    assert SETTINGS["coverage"] == {
        "run": {"branch": True, "source": ["notebooks"]},
        "report": wanted,
    }
    pytest_ = SETTINGS["pytest"]["ini_options"]
    assert {*pytest_["testpaths"]} == {"tests", "notebooks"}
    assert pytest_["norecursedirs"] == [".*", "_build"]
    options = pytest_["addopts"].split()
    wanted = {"--nbval", "--nbval-sanitize-with=tests/sanitize.ini"}
    assert wanted <= {*options}
    leaves_out = "--ignore|--deselect|--nbval-lax|-[kpx]$|--exit|--maxfail"
    assert not [o for o in options if re.match(leaves_out, o)]
    module_tests = (ROOT / "tests").glob("test_*.py")
    code = "".join(path.read_text("utf-8") for path in module_tests)
    assert not re.search(r"(mark|pytest)\.xfail", code)


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
    assert len(rules) == 2
    unknown = "largest relative difference: nan"
    assert re.sub(*rules[0], unknown) == unknown
    number = re.compile(r"-?\d+\.\d+")
    for text in itertools.chain(*map(outputs, CHAPTERS)):
        shown = text
        for regex, replace in rules:
            shown = re.sub(regex, replace, shown)
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
            assert "NBVAL" not in cell.source
    assert len(left_out) <= 4


@pytest.mark.parametrize("path", CI)
def test_nothing_in_ci_hides_a_failure_or_runs_strangers_code(path):
    text = path.read_text(encoding="utf-8")
    for words in (
        r"\|\|\s*(true|:|exit 0)",
        "continue-on-error",
        "pull_request_target",
        "set \\+e",
        r"secrets\.",
    ):
        assert not re.search(words, text), words
