"""The affect network's verbs. What each means is in the modules beside: data, net, fit, measure, ship, card."""

import hashlib
import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from training import (
    affect_card, affect_data, affect_fairface, affect_fit, affect_london, affect_parity, affect_recover, affect_ship, affect_tables,
    affect_teachers, affect_turned, fairface,
)
from training.common import Progress, run_folder, write_model_folder


def prepare(cfg: dict) -> None:
    """Makes what is not there yet; delete a file of `training/cache/` to have it made again."""
    if is_missing(affect_data.ferplus_cache(cfg)):
        affect_data.prepare_ferplus(cfg, show_progress("FER+: asking the teachers"))
        cached = np.load(affect_data.ferplus_cache(cfg))
        found = ~np.isnan(cached["eyes"]).any(axis=1)
        left_x, left_y, right_x, right_y = cached["eyes"][found].mean(axis=0)
        print(f"{len(found)} faces, eyes found in {found.mean():.1%}; mean eyes "
              f"({left_x:.3f}, {left_y:.3f}) and ({right_x:.3f}, {right_y:.3f})")
    if "fairface" in cfg and "pictures" in cfg:
        fairface.prepare(cfg["pictures"], None, show_progress("FairFace: parts labelled"))
    if "teacher" in cfg:
        print(affect_fairface.teachers_text(cfg))
    if "start_from" in cfg["train"]:
        affect_recover.recover(cfg)
    if "turned" in cfg and is_missing(affect_turned.cache_file(cfg)):
        affect_turned.prepare(cfg, partial(affect_fit.sampling_odds, power=cfg["train"]["sampling_power"]), show_progress)
        affect_turned.write_sheet_of_people(cfg)


def is_missing(path: Path) -> bool:
    if path.exists():
        print(f"{path} is there already")
    return not path.exists()


def show_progress(what: str):
    progress = None

    def show(done: int, total: int) -> None:
        nonlocal progress
        progress = progress or Progress(total)
        progress.show(done, what)

    return show


def train(cfg: dict) -> None:
    affect_fit.fit(cfg)


def evaluate(cfg: dict) -> None:
    print(affect_tables.figures_text(affect_ship.evaluate(cfg)))


def london(cfg: dict) -> None:
    """The London set, seen by the network that `evaluate` measured and by the one before it. Look seldom: nothing is chosen by it."""
    net, _ = affect_ship.shipped_net(cfg)
    onnx_bytes, _ = affect_ship.to_onnx(net, cfg)
    earlier = affect_teachers.file_of(cfg["teacher"]).read_bytes()
    found = {
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "this": affect_london.measure(onnx_bytes, cfg["input"]),
        "earlier": affect_london.measure(earlier, cfg["input"]),
    }
    (run_folder(cfg["name"]) / "london.json").write_text(json.dumps(found, indent=1) + "\n")
    print(affect_tables.london_table(found))


def export(cfg: dict) -> None:
    """Ships what the last `evaluate` measured: model folder, card and parity fixture."""
    report, seen = (json.loads((run_folder(cfg["name"]) / f"{name}.json").read_text()) for name in ("evaluation", "london"))
    net, _ = affect_ship.shipped_net(cfg)
    size = cfg["input"]["size_px"]
    onnx_bytes, floats = affect_ship.to_onnx(net, cfg)
    sha256 = hashlib.sha256(onnx_bytes).hexdigest()
    if not report["sha256"] == seen["sha256"] == sha256:
        raise SystemExit("the network has changed since it was evaluated: run `evaluate` and `london` on it first")
    folder = write_model_folder(
        name="affect",
        kind="affect",
        version=cfg["version"],
        onnx_bytes=onnx_bytes,
        summary=affect_card.SUMMARY.format(size=size),
        trained_on=affect_card.TRAINED_ON,
        input={
            "name": "face",
            "shape": [1, 1, size, size],
            "colour": "grey",
            "mean": [cfg["input"]["mean"]],
            "std": [cfg["input"]["std"]],
            "left_eye": cfg["input"]["left_eye"],
            "right_eye": cfg["input"]["right_eye"],
        },
        outputs=[
            {"name": "valence_arousal", "shape": [1, 2], "labels": ["valence", "arousal"]},
            {"name": "log_variance", "shape": [1, 2], "labels": ["valence", "arousal"]},
            {"name": "expression", "shape": [1, 8], "labels": affect_data.EXPRESSIONS},
        ],
        figures=affect_tables.model_figures(report, seen),
        card=affect_card.card(report, seen, cfg),
    )
    cv2.imwrite(str(folder / "turned.png"), affect_turned.sheet(affect_turned.drawn_faces()))
    affect_parity.write_fixture(net, onnx_bytes, floats, cfg["input"])
    print(f"wrote {folder}")
