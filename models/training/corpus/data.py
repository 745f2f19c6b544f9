"""Reads the phrases in phrases/*.txt. Where a line ends means nothing there, except in the files that `lines` reads; " / " splits
alternatives.
"""

import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "phrases"


def phrases(name):
    return _text(name).replace("\n", " ").strip().split(" / ")


def lines(name):
    """A row a line, or more where they are indented; its fields are split by " < "."""
    return [line.split(" < ") for line in _text(name).replace("\n  ", " ").strip().split("\n")]


def words(section):
    """The words of a [section] of words.txt."""
    return re.search(rf"^\[{section}\]\n([^\[]*)", _text("words"), re.MULTILINE).group(1).split()


def answers(name):
    """[(answer, questions)]; the lines of an answer begin with ">"."""
    found, answer = [], ""
    for line in _text(name).splitlines():
        if line.startswith("> "):
            if not answer:
                found.append(["", ""])
            answer = found[-1][0] = (answer + line[1:]).strip()
        else:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
            answer = ""
    return [(answer, questions.split(" / ")) for answer, questions in found]


def tools():
    """[(names, descriptions, parameters, requests)], each a list; see catalog.py."""
    found = []
    for line in "".join(_text(path.stem) for path in sorted(_FOLDER.glob("tools*.txt"))).splitlines():
        if line[0] != " ":
            found.append([line, "", "", ""])
        else:
            field = {"=": 1, ":": 2}.get(line[2] if line[3:4] == " " else "", 3)
            found[-1][field] += " " + (line[4:] if field < 3 else line.strip())
    return [
        (
            names.split(" / "),
            said.strip().split(" / "),
            [part for part in parameters.strip().split("; ") if part],
            ask.strip().split(" / "),
        )
        for names, said, parameters, ask in found
    ]


def _text(name):
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
