"""Sharper faces without votes: LFW-based pictures, labelled by an earlier network of the same kind.

A camera's face is sharper than FER+'s 48 px. These faces are kept at over twice that, so that the
random loss of resolution and sharpening in training makes both look alike to the network. Their own
labels, one student's, are too weak to use.
"""

import tarfile
from pathlib import Path

import cv2
import numpy as np

from training import affect_data, affect_teachers, align
from training.common import CACHE, SHARED

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
    images = np.load(cache_file(cfg))["image"]
    eyes = np.tile(kept_eyes(cfg["input"]).astype(np.float32), (len(images), 1))
    faces = {"image": images, "eyes": eyes}
    return faces | affect_teachers.answers([cfg["muxspace"]["teacher"]], faces, [True], cache_file(cfg))
