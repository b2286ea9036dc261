"""What the three networks share: where things lie, seeds, checkpoints, progress, model folders.

Nothing here knows what a network computes. Pictures are read from SHARED and, decoded, kept
under CACHE; both stay outside version control. Only weights, cards and aggregate figures
leave, through `write_model_folder`.
"""

import csv
import hashlib
import json
import math
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("AFFECTOGRAPH_SHARED", ROOT.parent / "shared"))
CACHE = ROOT / "training" / "cache"
RUNS = ROOT / "training" / "runs"
MODELS = ROOT / "models"
FIXTURES = ROOT / "tests" / "fixtures"


def run_folder(name: str) -> Path:
    """The folder of one run (checkpoint, curves, evaluation), made if missing."""
    folder = RUNS / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device(threads: int = 1) -> torch.device:
    """A GPU if there is one; else the CPU with as many threads as the configuration grants."""
    torch.set_num_threads(threads)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_checkpoint(path: Path, state: dict) -> None:
    """Writes beside and renames, so that a killed run leaves the previous checkpoint whole."""
    state = {**state, "random": (random.getstate(), np.random.get_state(), torch.get_rng_state())}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path, restore_random: bool = True) -> dict | None:
    """The saved state, or None when the run has not begun. Restores the random generators."""
    if not path.exists():
        return None
    state = torch.load(path, map_location="cpu", weights_only=False)
    if restore_random:
        python_state, numpy_state, torch_state = state["random"]
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
    return state


class Progress:
    """One line with the time left: rewritten on a terminal, now and then in a log."""

    def __init__(self, total_steps: int, done_steps: int = 0):
        self.total_steps = total_steps
        self.first_step = done_steps
        self.start_s = time.monotonic()
        self.last_print_s = 0.0
        self.is_terminal = sys.stdout.isatty()

    def show(self, step: int, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self.last_print_s < (1 if self.is_terminal else 30) and step < self.total_steps:
            return
        self.last_print_s = now_s
        done = max(step - self.first_step, 1)
        left_s = int((now_s - self.start_s) / done * (self.total_steps - step))
        line = f"{step}/{self.total_steps}  left {left_s // 3600}:{left_s // 60 % 60:02}:{left_s % 60:02}  {text}"
        print(f"\r\033[K{line}" if self.is_terminal else line, end="" if self.is_terminal else "\n", flush=True)

    def note(self, text: str) -> None:
        """A line that stays, such as an epoch's figures."""
        print(f"\r\033[K{text}" if self.is_terminal else text, flush=True)


def area_under_curve(score: np.ndarray, is_positive: np.ndarray) -> float:
    """The share of pairs in which the positive has the higher score; equal scores count half."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    values, starts, counts = np.unique(score[order], return_index=True, return_counts=True)
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    positives = int(is_positive.sum())
    negatives = len(score) - positives
    if not positives or not negatives:
        return float("nan")
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


class Curves:
    """The run's figures by epoch, as `curves.csv` and `curves.png`; a resumed run appends, and may note more than before."""

    def __init__(self, folder: Path, rows: list[dict] | None = None):
        self.folder = folder
        self.rows = list(rows or [])

    def add(self, **figures: float) -> None:
        self.rows.append(figures)
        with open(self.folder / "curves.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=self._names())
            writer.writeheader()
            writer.writerows(self.rows)
        self._draw()

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def _draw(self) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        names = [name for name in self._names() if name != "epoch"]
        columns = min(3, len(names))
        lines = -(-len(names) // columns)
        figure, axes = pyplot.subplots(lines, columns, figsize=(4 * columns, 2.6 * lines), squeeze=False)
        for axis, name in zip(axes.flat, names):
            axis.plot([row["epoch"] for row in self.rows], [row.get(name, math.nan) for row in self.rows], color="#0072B2")
            axis.set_title(name, fontsize=9)
        for axis in axes.flat[len(names):]:
            axis.set_axis_off()
        figure.tight_layout()
        figure.savefig(self.folder / "curves.png", dpi=90)
        pyplot.close(figure)


def write_model_folder(
    *,
    name: str,
    kind: str,
    version: str,
    onnx_bytes: bytes,
    summary: str,
    trained_on: str,
    input: dict,
    outputs: list[dict],
    figures: list[dict],
    card: str,
) -> Path:
    """Writes `models/NAME/{model.onnx, model.toml, README.md}`: all that the program needs to know.

    `input`: name, shape, colour, mean, std and, for affect, left_eye and right_eye.
    `outputs`: name, shape, and labels where the last axis has names. `figures`: name, value, command.
    """
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    head = {
        "name": name,
        "kind": kind,
        "version": version,
        "file": "model.onnx",
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "license": "MIT OR Apache-2.0",
        "summary": summary,
        "trained_on": trained_on,
    }
    blocks = [_toml_pairs(head), "[input]\n" + _toml_pairs(input)]
    blocks += chain_tables(folder / "model.toml")
    blocks += ["[[output]]\n" + _toml_pairs(output) for output in outputs]
    blocks += ["[[figure]]\n" + _toml_pairs(figure) for figure in figures]
    (folder / "model.toml").write_text("\n".join(blocks))
    (folder / "README.md").write_text(card)
    return folder


def chain_tables(card: Path) -> list[str]:
    """The text of the tables with the chain's constants, with their comments. They are written by hand and kept."""
    text = card.read_text() if card.exists() else ""
    after_input = text.partition("[input]\n")[2].partition("\n\n")[2]
    kept = after_input.partition("[[output]]")[0].strip()
    return [kept + "\n"] if kept else []


def _toml_pairs(table: dict) -> str:
    """Strings, numbers and flat lists are the same in JSON and TOML, and no more is needed here."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())


def onnx_latency_ms(onnx_bytes: bytes, inputs: dict[str, np.ndarray], runs: int = 1000) -> float:
    """Median over `runs` of one inference on one thread, as the program runs it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    for _ in range(20):
        session.run(None, inputs)
    times_ns = []
    for _ in range(runs):
        start_ns = time.perf_counter_ns()
        session.run(None, inputs)
        times_ns.append(time.perf_counter_ns() - start_ns)
    return float(np.median(times_ns)) / 1e6
