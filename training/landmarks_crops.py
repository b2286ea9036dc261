"""Crops for the landmark network: where the program would cut, and where it would cut amiss.

A crop is a square given by centre, side and turn in the source picture. The program cuts
around the detector's box and, while tracking, around the previous 68 points, turned so that
the head stands level. The card of the landmark network contains the sides of both crops.
Training cuts the same two ways with jitter, and, for the network to know a face from
anything else, also where no face is or only a part of one.
"""

from pathlib import Path

import cv2
import numpy as np

from . import landmarks_labels, landmarks_pictures, landmarks_render, model_card
from .landmarks_surroundings import Backgrounds, degrade, texture

SIZE_PX = model_card.input_size("landmarks")[0]
DETECTOR_SIDE = model_card.read("landmarks")["crop"]["detection_sides"]
TRACKING_SIDE = model_card.read("landmarks")["crop"]["tracking_sides"]
# Which of the 68 points takes the place of which in a mirrored picture.
MIRROR_68 = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])
# The model's jaw marks follow the bone, the collections' the visible outline: trusted little.
RENDER_WEIGHT = np.r_[np.full(17, 0.1), np.full(51, 0.6)].astype(np.float32)
MESH_WEIGHT, MARK_WEIGHT = 0.7, 1.0


def crop_matrix(centre, side: float, turn_degrees: float, size_px: int = SIZE_PX) -> np.ndarray:
    """2x3, from crop pixels to source pixels; turn > 0 turns the square clockwise in the source."""
    scale = side / size_px
    cos, sin = np.cos(np.radians(turn_degrees)) * scale, np.sin(np.radians(turn_degrees)) * scale
    half = size_px / 2
    return np.array([
        [cos, -sin, centre[0] - cos * half + sin * half],
        [sin, cos, centre[1] - sin * half - cos * half],
    ])


def into_crop(points: np.ndarray, to_source: np.ndarray) -> np.ndarray:
    """Source points in px to crop points in px."""
    inverse = np.linalg.inv(to_source[:, :2])
    return (points - to_source[:, 2]) @ inverse.T


def eye_line_degrees(points68: np.ndarray) -> float:
    left, right = points68[36:42].mean(0), points68[42:48].mean(0)
    return float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))


def detector_square(box: np.ndarray) -> tuple[np.ndarray, float]:
    return (box[:2] + box[2:]) / 2, DETECTOR_SIDE * float((box[2:] - box[:2]).max())


def tracking_square(points68: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = points68.min(0), points68.max(0)
    return (low + high) / 2, TRACKING_SIDE * float((high - low).max())


def fast_sample(picture: np.ndarray, to_source: np.ndarray, border: int) -> np.ndarray:
    """Like `align.sample_affine` with two samples an axis when minifying, by OpenCV."""
    factor = 2 if np.hypot(*to_source[:, 0]) > 1.1 else 1
    fine = to_source.copy()
    fine[:, :2] /= factor
    # OpenCV counts from pixel centres, we count from pixel corners.
    fine[:, 2] += fine[:, :2] @ [0.5, 0.5] - 0.5
    size = (SIZE_PX * factor, SIZE_PX * factor)
    out = cv2.warpAffine(picture, fine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)
    return cv2.resize(out, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA) if factor > 1 else out


class Crops:
    """Draws training samples: (picture, points in crop fractions, point weights, pose, is face)."""

    def __init__(self, folder: Path, held_out: bool = False):
        self.pictures = landmarks_pictures.load(folder)
        self.labels, mapping = landmarks_labels.load(folder)
        self.renders = landmarks_render.load(folder, held_out)
        self.render_box = landmarks_labels.boxes_from_points(self.renders["points"], self.renders["pose"], mapping)
        self.backgrounds = Backgrounds(self.pictures, held_out)
        labels, table = self.labels, self.pictures.table
        large = np.minimum(table["height"], table["width"]) >= 80
        usable = (labels.held_out == held_out) & np.isfinite(labels.points[:, 0, 0]) & np.isfinite(labels.box[:, 0]) & large
        self.marked = np.flatnonzero(usable & labels.is_marked)
        self.meshed = np.flatnonzero(usable & ~labels.is_marked & np.isfinite(labels.pose[:, 0]))

    def face(self, rng: np.random.Generator):
        """A source picture with its truth: (picture, points, weights, pose, box)."""
        pick = rng.random()
        if pick < 0.25:
            index = int(rng.integers(len(self.renders["points"])))
            alpha = self.renders["alpha"][index].astype(np.float32) / 255
            behind = self.backgrounds.draw(rng, *alpha.shape)
            picture = self.renders["grey"][index] * alpha + behind * (1 - alpha)
            truth = self.renders["points"][index], RENDER_WEIGHT, self.renders["pose"][index], self.render_box[index]
            return picture.astype(np.float32), *truth
        index = int(rng.choice(self.marked if pick < 0.65 else self.meshed))
        weight = np.full(68, MARK_WEIGHT if self.labels.is_marked[index] else MESH_WEIGHT, np.float32)
        labels = self.labels
        return self.pictures.grey(index), labels.points[index], weight, labels.pose[index], labels.box[index]

    def draw(self, rng: np.random.Generator):
        if rng.random() < 0.12:
            return self._nothing(rng)
        picture, points, weight, pose, box = self.face(rng)
        roll = eye_line_degrees(points)
        centre, side = detector_square(box) if rng.random() < 0.5 else tracking_square(points)
        is_face = 1.0
        if rng.random() < 0.12:
            is_face, centre, side, roll = self._amiss(rng, centre, side, roll)
        else:
            centre = centre + rng.uniform(-0.08, 0.08, 2) * side
            side *= np.exp(rng.uniform(-0.12, 0.12))
            roll += rng.uniform(-12, 12) if rng.random() < 0.85 else rng.uniform(-30, 30)
        to_source = crop_matrix(centre, side, roll)
        border = int(rng.choice([cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT]))
        crop = fast_sample(picture, to_source, border).astype(np.float32)
        if border == cv2.BORDER_CONSTANT:
            inside = fast_sample(np.ones(picture.shape[:2], np.float32), to_source, border)
            crop = crop * inside + self.backgrounds.draw(rng, SIZE_PX, SIZE_PX) * (1 - inside)
        where = into_crop(points, to_source) / SIZE_PX
        pose = pose - np.array([0, 0, roll], np.float32)
        if rng.random() < 0.5:
            crop = np.ascontiguousarray(crop[:, ::-1])
            where = where[MIRROR_68] * [-1, 1] + [1, 0]
            weight = weight[MIRROR_68]
            pose = pose * [-1, 1, -1]
        if is_face and rng.random() < 0.2:
            self._cover(rng, crop)
        if not is_face:
            weight, pose = weight * 0, pose * np.nan
        return degrade(rng, crop, strength=0.7), where, weight, pose, is_face

    def _nothing(self, rng: np.random.Generator):
        crop = degrade(rng, self.backgrounds.draw(rng, SIZE_PX, SIZE_PX))
        return crop, np.zeros((68, 2)), np.zeros(68, np.float32), np.full(3, np.nan), 0.0

    @staticmethod
    def _amiss(rng: np.random.Generator, centre, side, roll):
        """A square that misses: beside the face, far too wide or narrow, or on its head."""
        kind = rng.integers(4)
        if kind <= 1:
            angle = rng.uniform(0, 6.3)
            centre = centre + rng.uniform(0.45, 0.9) * side * np.array([np.cos(angle), np.sin(angle)])
        elif kind == 2:
            side = side * (rng.uniform(2.4, 4) if rng.random() < 0.5 else rng.uniform(0.2, 0.42))
        else:
            roll = roll + rng.uniform(80, 280)
        return 0.0, centre, side, roll

    @staticmethod
    def _cover(rng: np.random.Generator, crop: np.ndarray) -> None:
        """A hand, a cup, hair: something over a part of the face."""
        h, w = rng.integers(10, 45, 2)
        y, x = rng.integers(0, SIZE_PX - h), rng.integers(0, SIZE_PX - w)
        crop[y:y + h, x:x + w] = texture(rng, int(h), int(w))


def batch(crops: Crops, rng: np.random.Generator, size: int) -> tuple[np.ndarray, ...]:
    rows = [crops.draw(rng) for _ in range(size)]
    columns = [np.stack([np.asarray(row[k], np.float32) for row in rows]) for k in range(5)]
    columns[0] = columns[0][:, None]
    return tuple(columns)
