"""Scenes for the detector: pictures of its working size with faces of every size put into them.

A photograph with head and shoulders is placed whole, at a random scale, turn and place, so
that the surroundings of most faces are real; a face cut close is blended in by an oval or a
soft-edged patch; a rendered head by its own outline. Patches without a face are blended in the
same way, so that a seam never gives a face away.
"""

from pathlib import Path

import cv2
import numpy as np

from . import landmarks_labels, landmarks_pictures, landmarks_render, model_card
from .landmarks_crops import MIRROR_68
from .landmarks_surroundings import Backgrounds, degrade, draw_shapes, texture

WIDTH_PX, HEIGHT_PX = model_card.input_size("detector")
PAD_GREY = 127.5
# Of the teacher's faces, those it is unsure of are neither faces nor background.
SURE_SCORE = 0.75
# A face of which less than this part lies within the picture is neither.
MIN_VISIBLE = 0.6
# A little under 8 % of the height.
SMALLEST_PX = 17.0
# Of the height: who leans towards the camera is larger than its picture, and cut off by it.
LARGEST, LARGEST_OF_SEVERAL = 1.25, 0.45


def five_points(points68: np.ndarray) -> np.ndarray:
    """Image-left eye, image-right eye, nose tip, image-left and image-right mouth corner."""
    return np.stack([points68[36:42].mean(0), points68[42:48].mean(0), points68[30], points68[48], points68[54]])


def turned_box(box: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The box around the oval that fills `box`, after the 2x3 similarity (a turned box's corners
    would reach far beyond the face)."""
    centre = (box[:2] + box[2:]) / 2
    half = np.diag((box[2:] - box[:2]) / 2)
    moved = matrix[:, :2] @ centre + matrix[:, 2]
    reach = np.linalg.norm(matrix[:, :2] @ half, axis=1)
    return np.concatenate([moved - reach, moved + reach])


class Scenes:
    """Draws (picture, faces, ignored): faces as rows of box and five points, ignored as boxes."""

    def __init__(self, folder: Path, held_out: bool = False):
        self.pictures = landmarks_pictures.load(folder)
        self.labels, mapping = landmarks_labels.load(folder)
        self.renders = landmarks_render.load(folder, held_out)
        self.render_box = landmarks_labels.boxes_from_points(self.renders["points"], self.renders["pose"], mapping)
        self.backgrounds = Backgrounds(self.pictures, held_out)
        table = self.pictures.table
        has_face = np.isfinite(self.labels.box[:, 0]) & np.isfinite(self.labels.points[:, 0, 0]) & (table["held_out"] == held_out)
        one_face = table["face_count"] == 1
        big_enough = np.minimum(table["height"], table["width"]) >= 80
        self.whole = np.flatnonzero(has_face & table["is_udacity"])
        self.close = np.flatnonzero(has_face & ~table["is_udacity"] & one_face & big_enough)

    def draw(self, rng: np.random.Generator, faceless: bool = False, height: int = HEIGHT_PX, width: int = WIDTH_PX):
        scene = self.backgrounds.draw(rng, height, width)
        faces: list[np.ndarray] = []
        ignored: list[np.ndarray] = []
        if rng.random() < 0.5:
            self._paste_nothing(rng, scene)
        if rng.random() < 0.3:
            draw_shapes(rng, scene, int(rng.integers(1, 6)))
        if not faceless and rng.random() < 0.88:
            count = 1 if rng.random() < 0.75 else int(rng.integers(2, 4))
            for _ in range(count):
                self._paste_face(rng, scene, faces, ignored, biggest=LARGEST if count == 1 else LARGEST_OF_SEVERAL)
        if rng.random() < 0.06:
            self._pad(rng, scene, faces, ignored)
        if faces and rng.random() < 0.15:
            self._cover(rng, scene, faces)
        scene = degrade(rng, scene, strength=0.75)
        return scene, np.array(faces, np.float32).reshape(-1, 14), np.array(ignored, np.float32).reshape(-1, 4)

    def _paste_face(self, rng, scene, faces, ignored, biggest: float) -> None:
        height, width = scene.shape
        pick = rng.random()
        others = np.zeros((0, 4))
        if pick < 0.2:
            index = int(rng.integers(len(self.renders["points"])))
            source, mask = self.renders["grey"][index], self.renders["alpha"][index].astype(np.float32) / 255
            points, box = self.renders["points"][index], self.render_box[index]
        else:
            whole = pick < 0.65
            index = int(rng.choice(self.whole if whole else self.close))
            source, points, box = self.pictures.grey(index), self.labels.points[index], self.labels.box[index]
            rows = self.pictures.faces(index)
            others = rows[np.abs(rows[:, :4] - box).max(1) > 1, :4]
            mask = self._whole_mask(rng, source) if whole else self._close_mask(rng, source, box)
        # Half of the faces as large as at a desk, the others down to the smallest.
        share = rng.uniform(0.28, biggest) if rng.random() < 0.5 and biggest > 0.5 else np.exp(rng.uniform(np.log(SMALLEST_PX / height), np.log(biggest)))
        zoom = share * height / (box[3] - box[1])
        turn = np.radians(rng.normal(0, 8) if rng.random() < 0.6 else rng.uniform(-50, 50))
        mirrored = rng.random() < 0.5
        cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
        linear = np.array([[cos, -sin], [sin, cos]])
        if mirrored:
            linear = linear @ np.diag([-1.0, 1.0])
        half = share * height / 2 * 0.75
        place = np.array([rng.uniform(min(half, width / 2), max(width - half, width / 2)), rng.uniform(min(half, height / 2), max(height - half, height / 2))])
        centre = (box[:2] + box[2:]) / 2
        matrix = np.concatenate([linear, (place - linear @ centre)[:, None]], 1)
        moved = turned_box(box, matrix)
        if any(_shared_part(moved, face[:4]) > 0.05 for face in faces):
            return
        self._blend(scene, source, mask, matrix, zoom)
        # What the new picture covers is seen no more.
        corners = np.array([[0, 0], [source.shape[1], 0], [source.shape[1], source.shape[0]], [0, source.shape[0]]])
        reach = corners @ linear.T + matrix[:, 2]
        covering = np.concatenate([reach.min(0), reach.max(0)])
        ignored.extend(face[:4] for face in faces if _shared_part(face[:4], covering) > 0.2)
        faces[:] = [face for face in faces if _shared_part(face[:4], covering) <= 0.2]
        ignored.extend(turned_box(other, matrix) for other in others)
        row = np.concatenate([moved, (five_points(points[MIRROR_68] if mirrored else points) @ linear.T + matrix[:, 2]).ravel()])
        is_visible = _shared_part(moved, np.array([0, 0, width, height])) >= MIN_VISIBLE
        if is_visible and 0.9 * SMALLEST_PX <= moved[3] - moved[1] <= (LARGEST + 0.1) * height:
            faces.append(row)
        else:
            ignored.append(moved)

    @staticmethod
    def _whole_mask(rng, source: np.ndarray) -> np.ndarray:
        mask = np.ones(source.shape, np.float32)
        if rng.random() < 0.6:
            edge = int(rng.integers(2, 14))
            mask[:edge], mask[-edge:], mask[:, :edge], mask[:, -edge:] = 0, 0, 0, 0
            mask = cv2.blur(mask, (2 * edge + 1, 2 * edge + 1))
        return mask

    @staticmethod
    def _close_mask(rng, source: np.ndarray, box: np.ndarray) -> np.ndarray:
        if rng.random() < 0.5:
            return Scenes._whole_mask(rng, source)
        mask = np.zeros(source.shape, np.float32)
        centre, size = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * rng.uniform(1.0, 1.3)
        cv2.ellipse(mask, ((float(centre[0]), float(centre[1])), (float(size[0]), float(size[1])), 0.0), 1.0, -1)
        soft = rng.uniform(1, 8)
        return cv2.GaussianBlur(mask, (0, 0), soft)

    @staticmethod
    def _blend(scene, source, mask, matrix, zoom: float) -> None:
        """Warps source and mask into the scene; minifying beyond two is done by area first."""
        shrink = 1.0
        while zoom / shrink < 0.6:
            shrink /= 2
        if shrink < 1:
            size = max(1, int(source.shape[1] * shrink)), max(1, int(source.shape[0] * shrink))
            exact = np.array([size[0] / source.shape[1], size[1] / source.shape[0]])
            source, mask = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (source, mask))
            matrix = np.concatenate([matrix[:, :2] / exact, matrix[:, 2:]], 1)
        # Only the part of the scene that the source reaches is touched.
        corners = np.array([[0, 0], [source.shape[1], 0], [source.shape[1], source.shape[0]], [0, source.shape[0]]])
        reach = corners @ matrix[:, :2].T + matrix[:, 2]
        x0, y0 = np.clip(np.floor(reach.min(0)), 0, [scene.shape[1], scene.shape[0]]).astype(int)
        x1, y1 = np.clip(np.ceil(reach.max(0)), 0, [scene.shape[1], scene.shape[0]]).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        placed = matrix.copy()
        placed[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5 - [x0, y0]
        size = int(x1 - x0), int(y1 - y0)
        over = cv2.warpAffine(source, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        weight = cv2.warpAffine(mask, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        view = scene[y0:y1, x0:x1]
        view += (over - view) * weight

    def _paste_nothing(self, rng, scene) -> None:
        """Ovals and patches of faceless stuff, blended like faces."""
        for _ in range(int(rng.integers(1, 5))):
            size = int(np.exp(rng.uniform(np.log(20), np.log(0.8 * scene.shape[0]))))
            patch = self.backgrounds.draw(rng, size, size)
            box = np.array([0.12, 0.05, 0.88, 0.95]) * size
            mask = self._close_mask(rng, patch, box)
            x, y = rng.uniform(-size / 4, scene.shape[1] - size * 0.75), rng.uniform(-size / 4, scene.shape[0] - size * 0.75)
            self._blend(scene, patch, mask, np.array([[1.0, 0, x], [0, 1.0, y]]), 1.0)

    @staticmethod
    def _pad(rng, scene, faces, ignored) -> None:
        """The grey that fills up a picture of another shape, at the right or below."""
        height, width = scene.shape
        keep_x, keep_y = (int(rng.uniform(0.6, 1) * width), height) if rng.random() < 0.5 else (width, int(rng.uniform(0.6, 1) * height))
        scene[:, keep_x:] = PAD_GREY
        scene[keep_y:] = PAD_GREY
        kept = np.array([0, 0, keep_x, keep_y])
        ignored.extend(face[:4] for face in faces if _shared_part(face[:4], kept) < 0.9)
        faces[:] = [face for face in faces if _shared_part(face[:4], kept) >= 0.9]

    @staticmethod
    def _cover(rng, scene, faces) -> None:
        """A hand, a microphone, a cup over up to a third of a face."""
        face = faces[int(rng.integers(len(faces)))]
        size = face[2:4] - face[:2]
        low = np.maximum(face[:2] + rng.uniform(-0.1, 0.8, 2) * size, 0).astype(int)
        high = (low + rng.uniform(0.15, 0.5, 2) * size).astype(int)
        part = scene[low[1]:high[1], low[0]:high[0]]
        if part.size:
            part[:] = texture(rng, *part.shape)


def _shared_part(box: np.ndarray, other: np.ndarray) -> float:
    """The part of `box` that lies within `other`."""
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:4], other[2:4])
    return float(np.prod(np.clip(high - low, 0, None)) / max(np.prod(box[2:4] - box[:2]), 1e-6))
