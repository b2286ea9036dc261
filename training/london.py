"""Adults of the Face Research Lab London Set, neutral and smiling (CC BY 4.0; they consented). Nothing is trained or tuned on them."""

import csv
import io
import tarfile

import cv2
import numpy as np

from . import affect_data, align
from .common import SHARED
from .fairface_teachers import Teachers


def aligned_faces(left_eye, right_eye, size_px: int) -> dict[str, np.ndarray]:
    """Grey faces `view` [n, size, size] with the eyes at their places, MediaPipe's `blendshapes`, and `is_smile`."""
    rows = []
    with tarfile.open(SHARED / "data" / "london.tar") as archive, Teachers() as teachers:
        labels = csv.DictReader(io.StringIO(archive.extractfile("labels.csv").read().decode()))
        for row in labels:
            picture = cv2.imdecode(np.frombuffer(archive.extractfile(row["file"]).read(), np.uint8), cv2.IMREAD_COLOR)
            told = teachers.points_and_actions(picture)
            if told is None:
                continue
            eyes = [told["points"][contour, :2].mean(0) for contour in (affect_data.LEFT_EYE_478, affect_data.RIGHT_EYE_478)]
            to_source = align.similarity_from_eyes(*eyes, left_eye, right_eye, size_px, size_px)
            view = align.sample_affine(align.grey(picture[..., ::-1]), to_source, size_px, size_px)
            rows.append((view, told["blendshapes"], row["expression"] != "neutral"))
    return {name: np.stack(column) for name, column in zip(("view", "blendshapes", "is_smile"), zip(*rows))}
