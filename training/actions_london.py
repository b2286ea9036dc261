"""Smiles of 102 consenting adults of the Face Research Lab London Set (CC BY 4.0). Nothing is trained or tuned on them."""

import csv
import io
import tarfile

import cv2
import numpy as np

from . import actions_data, affect_data, align
from .actions_net import SIZE_PX
from .actions_targets import ACTIONS, SHIPPED, from_mediapipe
from .common import SHARED, area_under_curve
from .fairface import EYE_PLACES
from .fairface_teachers import Teachers

SMILE = [action.arkit for action in ACTIONS].index("mouthSmile")
SHIPPED_SMILE = SHIPPED.index(SMILE)
# An intensity from which on a smile is counted. It was chosen before this set was read.
COUNTED_FROM = 0.3


def measure(read) -> dict[str, float]:
    """`read` is the network: views in, its outputs out."""
    views, teacher, is_smile = [], [], []
    with tarfile.open(SHARED / "data" / "london.tar") as archive, Teachers() as teachers:
        labels = csv.DictReader(io.StringIO(archive.extractfile("labels.csv").read().decode()))
        for row in labels:
            picture = cv2.imdecode(np.frombuffer(archive.extractfile(row["file"]).read(), np.uint8), cv2.IMREAD_COLOR)
            told = teachers(picture)
            if told is None:
                continue
            eyes = [told["points"][contour, :2].mean(0) for contour in (affect_data.LEFT_EYE_478, affect_data.RIGHT_EYE_478)]
            to_source = align.similarity_from_eyes(*eyes, EYE_PLACES[:2], EYE_PLACES[2:], SIZE_PX, SIZE_PX)
            views.append(align.sample_affine(align.grey(picture[..., ::-1]), to_source, SIZE_PX, SIZE_PX))
            teacher.append(from_mediapipe(told["blendshapes"][None])[0, SMILE])
            is_smile.append(row["expression"] != "neutral")
    smile, is_smile = read(actions_data.normalise(np.stack(views)))[0][:, SHIPPED_SMILE], np.array(is_smile)
    return {
        "london_faces": float(len(smile)),
        "london_smile_auc": area_under_curve(smile, is_smile),
        "london_smile_auc_mediapipe": area_under_curve(np.array(teacher), is_smile),
        "london_smiles_counted": float((smile[is_smile] >= COUNTED_FROM).mean()),
        "london_neutrals_not_counted": float((smile[~is_smile] < COUNTED_FROM).mean()),
    }
