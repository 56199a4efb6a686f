"""Lay the unsolved chapters out in a folder of somebody's own: `make lab`.

What they have changed there stays, and a later edition is put beside it.
"""

import itertools
import json
import os
import sys
from hashlib import sha256
from pathlib import Path

LEDGER = ".laid_out.json"  # the editions that each file was laid out in


def write(file, content):
    """Write a file whole or not at all, and through no link."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with fresh.open("xb") as to:
            to.write(content)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def lay_out(texts, folder):
    """Write the texts into the folder; return what to tell its owner.

    A file that is there is written anew only if it is still as it was laid
    out. One that has gone is brought back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger = folder / LEDGER
    try:
        laid = dict(json.loads(ledger.read_text("utf-8")))
    except (FileNotFoundError, TypeError, ValueError):
        laid = {}
    before, todo, told = laid.copy(), {}, []
    for name, text in sorted(texts.items()):
        content = text.encode("utf-8")
        edition, first = sha256(content).hexdigest(), Path(name)
        for number in itertools.count(1):
            kind = f".{number}" * (number > 1) + first.suffix
            file = folder / f"{first.stem}{kind}"
            known = str(laid.get(file.name, ""))
            there = file.exists() and sha256(file.read_bytes()).hexdigest()
            own = there and there not in (edition, *known.split())
            if own and edition not in known:
                continue
            if edition not in known:
                laid[file.name] = f"{known} {edition}".strip()
            if not own and there != edition:
                todo[file] = content
                if number > 1:
                    told.append(
                        f"{file} is a later edition, beside your own {name}, "
                        "which stays as it is."
                    )
            break
    if laid != before:  # first: what a full disk lets in is then known
        write(ledger, json.dumps(laid, indent=1).encode("utf-8"))
    for file, content in todo.items():
        write(file, content)
    return told


def stored(copies):
    """Return the same from the folder that `make classroom` writes."""
    files = filter(Path.is_file, copies.iterdir())  # a run leaves __pycache__
    return {file.name: file.read_text("utf-8") for file in files}


if __name__ == "__main__":
    target, *copies = map(Path, sys.argv[1:])
    try:
        if copies:
            texts = stored(*copies)
        else:  # not for learners on a hub, who cannot see what this reads
            from copies import handed_out

            texts = handed_out()
        for sentence in lay_out(texts, target):
            print(sentence)
    except OSError as error:
        sys.exit(
            f"{target}: expected a folder to write to, with room for the "
            f"chapters. {error}. Nothing of yours was changed: mend it, and "
            "run this again."
        )
    print(f"Your own copies of the chapters are in {target.resolve()}")
