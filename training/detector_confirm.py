"""What the program makes of detections: a face is one only where the landmark network sees it as well, with eyes, nose and
mouth in the same places (`crates/vision/src/landmarks.rs`). So a cell may count at a lower score than it could alone."""

import cv2
import numpy as np

from . import model_card
from .common import MODELS
from .detector_find import find
from .landmarks import MEAN, STD
from .landmarks_crops import SIZE_PX, crop_matrix, detector_square, eye_line_degrees, fast_sample, tracking_square
from .shipping import OnnxNet

MAX_CANDIDATES = model_card.read("detector")["detection"]["max_candidates"]
FACE = model_card.read("landmarks")["face"]
NOSE_TIP, LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER = 30, 48, 54


class Confirmer:
    """The shipped landmark network, asked about detections."""

    def __init__(self):
        folder = MODELS / "landmarks"
        self.net = OnnxNet((folder / "model.onnx").read_bytes())

    def locate(self, grey: np.ndarray, centre: np.ndarray, side: float, turn_degrees: float) -> tuple[np.ndarray, float]:
        """68 points in px of the picture, and the probability that the square shows a face."""
        to_source = crop_matrix(centre, side, turn_degrees)
        crop = fast_sample(grey, to_source, cv2.BORDER_REPLICATE).astype(np.float32)
        points, _, face = self.net(((crop - MEAN) / STD)[None, None])
        return points.reshape(68, 2) * SIZE_PX @ to_source[:, :2].T + to_source[:, 2], float(face[0, 0])

    def accepts(self, grey: np.ndarray, points: np.ndarray, face: float) -> bool:
        low, high = points.min(0), points.max(0)
        centre, longest = (low + high) / 2, (high - low).max()
        is_inside = (centre >= 0).all() and (centre < grey.shape[::-1]).all()
        return face >= FACE["min_probability"] and is_inside and FACE["min_side_px"] <= longest <= 2 * max(grey.shape)

    def confirms(self, grey: np.ndarray, row: np.ndarray) -> bool:
        """Looks twice, as the program does: at the detector's square, then at the one that tracking would take."""
        five = row[4:14].reshape(5, 2)
        across = five[1] - five[0]
        roughly = self.locate(grey, *detector_square(row[:4]), float(np.degrees(np.arctan2(across[1], across[0]))))
        if not self.accepts(grey, *roughly):
            return False
        points, face = self.locate(grey, *tracking_square(roughly[0]), eye_line_degrees(roughly[0]))
        eyes = points[36:42].mean(0), points[42:48].mean(0)
        own = np.stack([*eyes, *points[[NOSE_TIP, LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER]]])
        apart = np.linalg.norm(own - five, axis=1).mean() / (row[2:4] - row[:2]).max()
        is_sure = face >= FACE["min_new_probability"] and apart <= FACE["max_disagreement_sides"]
        return is_sure and self.accepts(grey, points, face)

    def find(self, run, grey: np.ndarray, threshold: float) -> np.ndarray:
        """As `detector_find.find`, of the best few those that are confirmed."""
        grey = np.asarray(grey, np.float32)
        rows = find(run, grey, threshold)[:MAX_CANDIDATES]
        return rows[[self.confirms(grey, row) for row in rows]] if len(rows) else rows
