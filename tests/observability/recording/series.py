"""Recorded series: written from scrapes, and read back as promtool's input.

A file has comments that say where it comes from, and then one line for each series: the series as
Prometheus keeps it (labels without a value left out), a tab, and its value at each scrape in
promtool's form: `4x2` is 4 three times, `_` is no answer, `stale` is a series that ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import nan
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "recorded"

Labels = dict[str, str]
Scrape = Mapping[str, str]
"""One answer: values by series."""

_LINE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: \d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
NO_ANSWER, ENDED = "_", "stale"


def parsed(exposition: str) -> list[tuple[str, Labels, str]]:
    """Name, labels that have a value, and value of each series of an answer."""
    found = []
    for line in exposition.splitlines():
        match = _LINE.match(line)
        if match:
            labels = {k: v for k, v in _LABEL.findall(match["labels"] or "") if v}
            found.append((match["name"], labels, match["value"]))
    return found


def series(name: str, labels: Mapping[str, str]) -> str:
    """As PromQL writes it."""
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"


def lines(scrapes: Sequence[Scrape | None]) -> list[str]:
    """Lines of a file from its scrapes; None is a scrape without an answer."""
    known = sorted({each for scrape in scrapes if scrape for each in scrape})
    return [f"{each}\t{_values([_value(scrape, each) for scrape in scrapes])}" for each in known]


def _value(scrape: Scrape | None, of: str) -> str:
    return NO_ANSWER if scrape is None else scrape.get(of, ENDED)


def _values(values: Sequence[str]) -> str:
    """Joined, equal neighbours once; an end is said once, and before a start there is nothing."""
    shown: list[str] = []
    alive = False
    for value in values:
        shown.append(NO_ANSWER if value == ENDED and not alive else value)
        alive = value != ENDED and (alive or value != NO_ANSWER)
    return " ".join(_repeated(value, len([*same])) for value, same in groupby(shown))


def _repeated(value: str, times: int) -> str:
    if times == 1:
        return value
    return f"{value}x{times}" if value == NO_ANSWER else f"{value}x{times - 1}"


def recorded(*names: str) -> dict[str, str]:
    """Values by series of these files of the folder."""
    found: dict[str, str] = {}
    for name in names:
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                key, _, values = line.partition("\t")
                found[key] = values
    return found


def labels_of(key: str) -> tuple[str, Labels]:
    """Name and labels of a recorded series."""
    name, _, rest = key.partition("{")
    return name, dict(_LABEL.findall(rest))


def numbers(values: str) -> list[float]:
    """What was answered, in order, without gaps and repetitions."""
    words = (word.partition("x")[0] for word in values.split())
    return [float(word) for word in words if word not in (NO_ANSWER, ENDED)]


def each_scrape(values: str) -> list[float]:
    """The value at each scrape; NaN where there was none."""
    found: list[float] = []
    for word in values.split():
        value, _, times = word.partition("x")
        gone = value in (NO_ANSWER, ENDED)
        count = (int(times) if value == NO_ANSWER else int(times) + 1) if times else 1
        found += [nan if gone else float(value)] * count
    return found


def header(**told: str) -> Iterable[str]:
    """Comments above the series."""
    return [f"# {key.replace('_', ' ')}: {value}" for key, value in told.items()]
