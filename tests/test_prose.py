"""Prose that is true: its numbers are on the page, its names exist."""

import builtins
import re

import numpy as np
import pytest
import torch

import exercises
import polynomial
import sinefit
import train
from conftest import CHAPTERS, PROSE, ROOT, each_chapter
from runner import cells, printed, tags

NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])"
# What a name in prose may belong to, besides the page's own code.
HOMES = [builtins, np, np.linalg, torch, torch.Tensor, torch.nn, torch.optim]
HOMES += [torch.nn.Module, torch.autograd, sinefit, polynomial, exercises]
HOMES += [train, torch.utils.data]
FOLDERS = [ROOT, ROOT / "notebooks", ROOT / "tests"]
TAGS = {tag for path in CHAPTERS for cell in cells(path) for tag in tags(cell)}
# Words of the command line.
OTHERS = {"pytest", "pip", "python", "userdel"}
# Pages without code. Their numbers come from chapters or from these settings.
# In references, numbers are the names of works; make measure wrote measured.
PAGES = [path for path in PROSE if path.stem != "measured"]
SETTINGS = ["pyproject.toml", "Makefile", ".github/workflows/test.yml"]
SETTINGS += ["book/_ext/address.py", "book/measured.md"]
SETTINGS += ["classroom/room.py", "classroom/jupyterhub_config.py"]
SETTINGS += ["classroom/copies.py"]


def parts(path):
    """Return a chapter's prose, and its code with all that it printed."""
    prose, page = [cell.source for cell in cells(path, "markdown")], []
    for cell in cells(path, "code"):
        shown = [out.get("data", {}) for out in cell.outputs]
        page += [cell.source, printed(cell)]
        page += [data.get("text/plain", "") for data in shown]
    return "\n".join(prose), "\n".join(page)


def page_parts(path):
    """Return a page's prose, and what all the chapters and settings hold."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```(?!\{).+?```|\{term\}`[^`]*`", " ", text, flags=re.S)
    known = [parts(chapter)[1] for chapter in CHAPTERS]
    known += [(ROOT / name).read_text(encoding="utf-8") for name in SETTINGS]
    return prose, "\n".join(known)


def unexplained(prose, page):
    """Return the numbers of the prose that the page neither has nor prints.

    Formulas and code are no prose; minutes, and the numbers of chapters and
    exercises, are names. A number may round one that is printed.
    """
    code = r"(?s)\$\$.+?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)|<[^>]+>"
    name = r"\*\*Time\*\*.*|\d+ minutes|[Cc]hapters? \d|\*\*\d\. "
    text = re.sub(name, " ", re.sub(code, " ", prose))
    printed = re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", page)
    known = {sign * float(n) for n in printed for sign in (1, -1)}
    return [
        n
        for n in re.findall(NUMBER, text)
        if not any(rounds(value, n) for value in known)
    ]


def rounds(value, text):
    """Tell whether the text is the value, to the digits that it gives."""
    digits = len(text.partition(".")[2].partition("e")[0])
    return float(text) == (value if "e" in text else round(value, digits))


def missing_names(prose, page):
    """Return the code names of the prose that nothing defines."""
    return [
        span
        for span in re.findall(r"`([^`]+)`", prose)
        if re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", span)
        and span not in OTHERS | TAGS
        and not any((folder / span).exists() for folder in FOLDERS)
        and not re.search(rf"\b{re.escape(span.removesuffix('()'))}\b", page)
        and not any(has(home, span.removesuffix("()")) for home in HOMES)
    ]


def has(home, name):
    """Tell whether a dotted name can be reached from there."""
    names = name.split(".")
    if names[0] == getattr(home, "__name__", None):
        names = names[1:]
    for part in names:
        if not hasattr(home, part):
            return False
        home = getattr(home, part)
    return True


@each_chapter
def test_what_a_chapter_says_is_on_its_page(path):
    assert not unexplained(*parts(path))
    assert not missing_names(*parts(path))


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_says_is_in_a_chapter(path):
    assert path.stem == "references" or not unexplained(*page_parts(path))
    assert not missing_names(*page_parts(path))


@pytest.mark.parametrize("path", PAGES)
def test_files_that_a_page_links_to_are_there(path):
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):#]+)[)#]", text):
        assert (path.parent / link).exists(), link


def test_a_wrong_number_and_a_wrong_name_are_found():
    prose = "It ends at 9.15, not 9.14, see `torch.nn.Linearr` and `loss`."
    page = "loss = 9.1413"
    assert unexplained(prose, page) == ["9.15"]
    assert missing_names(prose, page) == ["torch.nn.Linearr"]


# Words that would be false if one were changed for its neighbour. Say it in
# other words if they are better, and put them here: then somebody has looked.
CLAIMS = r"""
01 | prediction minus target
01 | sum of the squared errors over all 2000 points
01 | there this difference is exact
01 | only two terms of the Taylor series
01 | every step multiplies by the same factor
01 | steepest axis is nearly \$d\$ alone, and the flattest nearly \$a\$
01 | must stay below \$2/\\lambda_\{\\max\}\$
01 | mean the bowl is 2000 times flatter, and the limit 2000 times higher
01 | below the limit the run comes down; .+ above, it \*\*diverges
01 | each step goes up the slope
01 | the flat axes make the tail
01 | Just to its left, too close
01 | share no axis with the even ones
01 | as high above it as the next one in
01 | constant factor makes a straight line
01 | steepest term more than halves at every step
01 | two flat axes take 200.4 and 167.6 steps
01 | less than a third as large
01 | loss is quadratic in the weights
01 | loss before step \$t\$ is then
02 | floats PyTorch makes `float32`, its default
02 | `float32`.+about seven digits of each number, `float64` about sixteen
02 | larger numbers have wider gaps
02 | `from_numpy` shares the array's memory
02 | `torch\.tensor\(shared\)`, which copies
02 | compare computed numbers with a tolerance, not with `==`
02 | `mps`, which has no `float64`
02 | gap between 1 and the next
02 | doubles at every power of 2
02 | Without `check_available=True` you get the device that your PyTorch was
02 | 1e-2, down to 1e-6
03 | walks from the loss to the leaves
03 | one walk back gives the gradients of all weights
03 | `torch\.no_grad\(\)` turns the recording off
03 | since `backward\(\)` adds
03 | each step uses the sum of all gradients so far
03 | up to twice chapter 1's limit
03 | list the parents of each node before the node itself
03 | upper number is its value
03 | small dip in every half of 8.2 steps, from the steepest axis
03 | troughs about 70 steps apart, from the two flat ones
03 | let `w = weight\(0.5\)`
03 | keep 0.9 of the old velocity
04 | with respect to the output, and returns it with respect to the input
04 | straight line, which the model approaches only as \$d\$ becomes small
04 | whether two runs that begin close together there move apart
04 | second and the third start far past theirs and \*\*blow up
04 | fifth starts well within its limit, and \*\*stalls
04 | multiply by `grad_output`
04 | check in `float64`, train in what you like
04 | saves in `ctx` what `backward` will need
04 | a row for each step and a column for each start
04 | derivative is zero wherever there is one
04 | nearly four times past it
04 | is negative only for
04 | share a sign, while those of the sine differ
05 | three weights and a \*\*bias\*\*, which is our \$a\$
05 | `MSELoss` is the mean squared error. This book's .+ of the \*\*sum
05 | would do, but not between `backward\(\)` and the update
05 | With 2000 times the learning rate, the mean gives the same run as the sum
05 | each prediction is compared with every target
05 | what fits all targets at once is their mean
05 | adds an axis of length 1 at the end
05 | It returns a column
05 | With the sum, the loss is far too large. With the mean it may look
05 | multiply the learning rate by the number of errors averaged
05 | with the sum, it falls as you add points
06 | Zero, backward, step
06 | divides each gradient by the root of a running mean of its square
06 | RMSprop's 1e-3 would make SGD diverge; SGD's 1e-6 hardly moves RMSprop
06 | steepest eigenvalue over the flattest
06 | multiply two different ones, and the mean over the points is next to zero
06 | the optimizer holds the weights of the old model
06 | a tenth of it is lost
06 | remembers ten times as long
06 | change the problem before the optimizer
06 | close to the limit
06 | model first
06 | first within 0.001
06 | looks much like \$x\^5\$
06 | depends little on how steep the slope is, and mostly on the learning rate
06 | the steps stay as long as before
07 | `__init__` makes the parameters, `forward` computes the prediction
07 | buffers\*\*: tensors that belong to it but are not learned
07 | Save the state, and not the whole model
07 | a weight that is used twice gets the sum of both gradients
07 | Python imports a module once, and keeps it
07 | make it the first line of `__init__`
07 | a plain list hides its parameters from the module
07 | refuses that unless told otherwise
07 | starts from zeros
07 | loaded back to the GPU
07 | on all but the fourth the same curve
07 | 1e-5, ten times as large
08 | step between \$-1\$ and \$1\$\. it is centred where
08 | more steeply the larger \$w\$ is; with a negative \$w\$ it falls
08 | derivative of \$\\tanh\$ is \$1 - \\tanh\^2\$
08 | floor of all cubics.+ below it before step 100.+ less than a hundredth
08 | no formula gives these losses
08 | the cubic runs off, and the network soon levels out
08 | in 2000 steps neither comes near this page's run
08 | a linear function of a linear function is linear
08 | units that are alike get the same gradient, and stay alike
08 | \$\\tanh\$ is flat and passes next to no gradient back
08 | is above this rate for 8 units, and below it for 16
08 | start the biases apart
08 | so the loss curves more.+ adam's 5e-3 serves both
08 | twice the page's rate
08 | what it was multiplied by on the way forward
08 | \$w\$, \$b\$, \$v\$, \$c\$
08 | between \$-\\pi\$ and \$\\pi\$ there were data
08 | give both the same few seeds
08 | with a learning rate of 1e-5
08 | derivative is 1 where \$z > 0\$, and 0 elsewhere
08 | at the page's rate they would blow up; take a tenth of it
08 | rises and one that falls, side by side, add up to a hill
08 | eight steps can follow the sine from where they stand, better even
08 | fewer cannot\. let them learn
08 | the best of degree 5 has six weights
08 | with enough units it can follow any continuous curve on an interval
08 | most of the units hardly move
09 | as many points as you like, and no noise
09 | keep the last year back, and let no fit see it
09 | with every wave the fit to the days seen gets better
09 | to the others is best with 2, and from there it gets worse
09 | does not know that december leads to january
09 | the waves learn the noise, which the next year does not repeat
09 | only data that you kept back show it
09 | what comes in time, split by time
09 | its gradient is right on average, and noisy
09 | times 100, their loss and its gradient are on average those of all 2000
09 | no cubic is so good on all points, but on 20 it may be
09 | allows five of them, at each of the 2000 steps
09 | at each step nine runs in ten lie in the band
09 | beside the loss itself the noise counts for little
09 | however long they go on, the runs hover above it
09 | a smaller rate lets them come nearer
09 | each step cost a hundredth of the points
09 | by the mean and the deviation of the same days
09 | sets each unit to zero with the probability
09 | pulls all weights a little towards zero
09 | along half a cosine, to zero after 80
09 | turns `dropout` on, `model\.eval\(\)` turns it off
09 | is lowest after a few epochs, and from there it rises
09 | with dropout it rises less
09 | two beat both networks at their best; the ten .+ do not
09 | 2014 was nearly as warm as 2015, the two years before were cooler
09 | another error each time, and larger ones
09 | leave out any of the four, and they are not
09 | each day to come lies outside the data
09 | 3 waves win in 2014, and lose in 2015
09 | the lowest of several errors is partly luck
09 | so is every weight from then on
09 | batches of 5 instead of 20
09 | takes? the 20 points that follow those of the step before, from the left
10 | calls a function first to warm up, then again and again for as long as
10 | compare what was timed in one go, as a ratio
10 | four columns of \$q\$ have length 1 and are perpendicular
10 | no weight reaches the last term: it is the floor
10 | a call costs pytorch more than numpy
10 | loses a digit or two: its loss is a small difference of large numbers
10 | after `backward\(\)` every process has the average of all their gradients
10 | so all take the same step, and the copies stay alike
10 | each process saw a half of the points
10 | so two processes lose where there are few
10 | threads share it too, and exchange nothing
10 | you see\* where one process stood at step 1000
10 | multiply the rate by the number of processes
10 | the mean as the loss, whose rate stays
10 | another curve, with the mean alone
10 | each of the 500 points weighs three times as much
10 | the whole run end, not one process
10 | the other one waits for a gradient that never comes
10 | written at step 500, and one process went on from it
10 | four processes, each with a quarter of the points, and the rate still 1e-6
10 | evenly from 1e-7 to 3\.6e-6, all from the book's start
10 | each process takes all of them, and the rate is still multiplied
10 | chapter 1 spends most of its time on `x\*\*3`
10 | one in five does better. given time, all would reach the floor
10 | the part of \$y\$ outside it is perpendicular to them
10 | the first 1500 points, the other the last 500
10 | rank 0 alone reads and writes the file
"""


def test_claims_are_made_in_words_that_hold():
    prose = {path.stem[:2]: parts(path)[0].lower() for path in CHAPTERS}
    rows = [line.partition(" | ") for line in CLAIMS.strip().splitlines()]
    gone = [
        f"chapter {number}: {words}"
        for number, _, words in rows
        if not re.search(words.lower(), prose[number])
    ]
    assert not gone, f"true in other words? Then put them into CLAIMS: {gone}"
