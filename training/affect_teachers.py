"""What earlier networks say of faces: labels where there are no votes, a second word where there are."""

import hashlib
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import torch

from training import affect_data, affect_measure
from training.affect_net import AffectNet, mirrored_mean
from training.common import run_folder


def config(teacher: str) -> dict:
    """Of the configuration `teacher`; its run's folder need not be called as it is."""
    with open(Path(__file__).parent / "configs" / f"{teacher}.toml", "rb") as file:
        return tomllib.load(file)


def softened(faces: dict, told: dict, share: float) -> dict:
    """Faces with `share` of each target as it was `told` (Hinton et al., *Distilling the knowledge*, 2015).

    Ten votes are few; what a network has learned from all faces says where a face's own votes are likely odd.
    """
    return faces | {name: ((1 - share) * faces[name] + share * word).astype(np.float32) for name, word in told.items()}


def answers(teachers: list[str], faces: dict, framings: list[bool], beside: Path) -> dict[str, np.ndarray]:
    """`valence_arousal` and `shares` of each face, the mean over teachers, framings (aligned or not) and mirror images.

    Asked once and kept beside the faces' file `beside`, since a resumed run asks again.
    """
    configs = [config(teacher) for teacher in teachers]
    weights = [run_folder(cfg["name"]) / "best.pt" for cfg in configs]
    asked = hashlib.sha256(b"".join(file.read_bytes() for file in weights) + bytes(framings)).hexdigest()[:12]
    stored = beside.with_suffix(f".{asked}.labels.npz")
    if not stored.exists():
        told = [_ask(cfg, file, faces, is_aligned) for cfg, file in zip(configs, weights) for is_aligned in framings]
        valence_arousal, shares = (np.mean(column, axis=0) for column in zip(*told))
        np.savez(stored, valence_arousal=valence_arousal, shares=shares)
    return dict(np.load(stored))


def _ask(cfg: dict, weights: Path, faces: dict, is_aligned: bool) -> tuple[np.ndarray, np.ndarray]:
    teacher = AffectNet(**cfg["net"]).eval()
    teacher.load_state_dict(torch.load(weights, map_location="cpu"))
    size = cfg["input"]["size_px"]
    views = np.stack([
        affect_data.warp(picture, affect_data.frame(picture, eyes, cfg["input"], is_aligned), size)
        for picture, eyes in zip(faces["image"], faces["eyes"])
    ])
    views = affect_data.normalise(views, cfg["input"])
    valence_arousal, _, logits = affect_measure.predict(partial(mirrored_mean, teacher), views, torch.device("cpu"))
    return valence_arousal, affect_measure.softmax(logits)
