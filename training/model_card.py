"""The cards in `models/`: the only place of the vision chain's constants, which the program and the client read, too."""

import tomllib
from functools import cache

from .common import MODELS


@cache
def read(name: str) -> dict:
    return tomllib.loads((MODELS / name / "model.toml").read_text())


def labels(name: str, output: str) -> list[str]:
    """The labels of an output."""
    return next(o["labels"] for o in read(name)["output"] if o["name"] == output)


def input_size(name: str) -> tuple[int, int]:
    """Width and height of the input."""
    height, width = read(name)["input"]["shape"][2:]
    return width, height


def normalisation(name: str) -> tuple[float, float]:
    """Mean and standard deviation of a grey network's input."""
    [mean], [std] = read(name)["input"]["mean"], read(name)["input"]["std"]
    return mean, std


def figure(name: str, figure_name: str) -> float:
    return next(f["value"] for f in read(name)["figure"] if f["name"] == figure_name)
