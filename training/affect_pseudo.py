"""Sharper faces without votes: LFW-based pictures, labelled by an earlier network of the same kind.

A camera's face is sharper than FER+'s 48 px. These faces are kept at over twice that, so that the
random loss of resolution and sharpening in training makes both look alike to the network. Their own
labels, one student's, are too weak to use.
"""

import hashlib
import tarfile
import tomllib
from pathlib import Path

import cv2
import numpy as np
import torch

from training import affect_data, affect_measure, align
from training.affect_net import AffectNet
from training.common import CACHE, SHARED, run_folder

KEPT_PX = 144
# The kept square shows more than the network's input, for the views that are shifted or shrunk.
MARGIN = 0.25


def cache_file(cfg: dict) -> Path:
    return CACHE / f"{cfg['muxspace']['cache']}.npz"


def kept_eyes(input_cfg: dict) -> np.ndarray:
    """Where the eyes lie in a kept square, in fractions: left x, y, right x, y."""
    places = np.array([*input_cfg["left_eye"], *input_cfg["right_eye"]])
    return (places + MARGIN) / (1 + 2 * MARGIN)


def prepare_muxspace(cfg: dict, progress) -> None:
    """Reads the pictures, finds the eyes, keeps a grey square round each face."""
    places = kept_eyes(cfg["input"])
    images = []
    with tarfile.open(SHARED / "data" / "muxspace.tar") as archive, affect_data.EyeFinder() as finder:
        members = [member for member in archive if member.name.lower().endswith((".jpg", ".jpeg", ".png"))]
        members = members[: cfg["data"].get("limit")]
        for number, member in enumerate(members):
            data = np.frombuffer(archive.extractfile(member).read(), np.uint8)
            rgb = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            height, width = rgb.shape[:2]
            eyes = finder.find(rgb) * [width, height, width, height]
            if not np.isnan(eyes).any():
                to_source = align.similarity_from_eyes(eyes[:2], eyes[2:], places[:2], places[2:], KEPT_PX, KEPT_PX)
                images.append(affect_data.warp(align.grey(rgb), to_source, KEPT_PX).round().astype(np.uint8))
            progress(number + 1, len(members))
    np.savez(cache_file(cfg), image=np.stack(images))


def load_pseudo(cfg: dict) -> dict[str, np.ndarray]:
    """The faces with the teacher's vote shares and axes; labelled once, since a resumed run asks again."""
    weights = run_folder(teacher_config(cfg)["name"]) / "best.pt"
    labels = cache_file(cfg).with_suffix(f".{hashlib.sha256(weights.read_bytes()).hexdigest()[:12]}.labels.npz")
    images = np.load(cache_file(cfg))["image"]
    if not labels.exists():
        valence_arousal, shares = label(images, cfg)
        np.savez(labels, valence_arousal=valence_arousal, shares=shares)
    eyes = np.tile(kept_eyes(cfg["input"]).astype(np.float32), (len(images), 1))
    return {"image": images, "eyes": eyes, **np.load(labels)}


def teacher_config(cfg: dict) -> dict:
    """Of the run that labels; its folder need not be called as its configuration."""
    with open(Path(__file__).parent / "configs" / f"{cfg['muxspace']['teacher']}.toml", "rb") as file:
        return tomllib.load(file)


def label(images: np.ndarray, cfg: dict) -> list[np.ndarray]:
    """Valence and arousal, and vote shares, by the teacher, averaged over each face and its mirror image."""
    teacher_cfg = teacher_config(cfg)
    teacher = AffectNet(**teacher_cfg["net"])
    teacher.load_state_dict(torch.load(run_folder(teacher_cfg["name"]) / "best.pt", map_location="cpu"))
    teacher.eval()
    size = teacher_cfg["input"]["size_px"]
    to_source = affect_data.frame(images[0], kept_eyes(cfg["input"]), teacher_cfg["input"], aligned=True)
    views = np.stack([affect_data.warp(image, to_source, size) for image in images])
    views = affect_data.normalise(views, teacher_cfg["input"])
    outputs = []
    for seen in (views, np.ascontiguousarray(views[..., ::-1])):
        valence_arousal, _, logits = affect_measure.predict(teacher, seen, torch.device("cpu"))
        outputs.append((valence_arousal, affect_measure.softmax(logits)))
    return [np.mean(column, axis=0) for column in zip(*outputs)]
