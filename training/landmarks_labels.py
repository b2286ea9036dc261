"""One set of labels for every face: 68 points, pose and box, whoever gave them.

Points. Hand-checked 68 points exist for one collection only. The 478-point mesh exists for
nearly all faces, so a ridge regression learns, on people who have both (and are not held
out), to say from the mesh where the 68 points would be marked: the mesh follows the skin,
while jaw marks follow the outline.

Pose. The mesh comes with a head rotation. Asked about 150 renders whose pose is known, the
teacher is off by a median of -0.1 degrees in yaw, 0.3 in pitch and -0.1 in roll, so its zero
is taken as that of our renders.

Box. Renders have no teacher's box; a linear map from the extents of the 68 points, fitted on
photographs, draws it as the teacher would.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import landmarks_pictures
from .landmarks_pictures import Pictures
from .landmarks_render import degrees_from_rotation
from .landmarks_teacher import MESH_68

# Whole numbers counted from one, as the collection's marks are, lie half a pixel after pixel centres.
LABEL_SHIFT_PX = 0.5
OUTER_EYES = (36, 45)
COMPONENTS = 60
RIDGE = 3.0
# A face whose two opinions differ more than this (mean, over inter-ocular distance) is left out.
MAX_DISAGREEMENT = 0.12


@dataclass
class FaceLabels:
    """One entry a picture; NaN where nothing is known."""

    points: np.ndarray
    pose: np.ndarray
    box: np.ndarray
    held_out: np.ndarray
    is_marked: np.ndarray


def face_frame(points: np.ndarray, right_eye: np.ndarray, left_eye: np.ndarray):
    """Origin between the eyes, unit = eye distance, x along the eye line: (points, function back)."""
    origin, axis = (right_eye + left_eye) / 2, left_eye - right_eye
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    x = axis / length
    turn = np.stack([x, np.stack([-x[..., 1], x[..., 0]], -1)], -2)

    framed = np.einsum("nij,nkj->nki", turn, points - origin[:, None]) / length[:, None]
    return framed, lambda f: np.einsum("nji,nkj->nki", turn, f) * length[:, None] + origin[:, None]


def _mesh_features(mesh: np.ndarray, basis: tuple | None):
    """Mesh in its own eye frame, reduced to its main components, with squares of the first few."""
    framed, back = face_frame(mesh, mesh[:, 33], mesh[:, 263])
    flat = framed.reshape(len(framed), -1)
    if basis is None:
        mean = flat.mean(0)
        _, scale, axes = np.linalg.svd(flat - mean, full_matrices=False)
        kept = min(COMPONENTS, len(flat) // 4)
        basis = mean, axes[:kept].T / (scale[:kept] / np.sqrt(len(flat)))
    parts = (flat - basis[0]) @ basis[1]
    curved = np.concatenate([parts[:, :6] ** 2, np.abs(parts[:, :3])], 1)
    return np.concatenate([np.ones((len(parts), 1)), parts, curved], 1), framed, back, basis


def points_from_mesh(pictures: Pictures) -> tuple[np.ndarray, dict[str, float]]:
    """68 points for every face with a mesh, and how far they are from held-out people's marks."""
    table = pictures.table
    mesh = table["mesh"].astype(np.float64)
    marks = table["labels68"] - LABEL_SHIFT_PX
    has_mesh = np.isfinite(mesh[:, 0, 0])
    has_both = has_mesh & np.isfinite(marks[:, 0, 0])
    rough = np.full(len(mesh), np.inf)
    rough[has_both] = mean_error(mesh[has_both][:, MESH_68], marks[has_both])
    fitted = has_both & ~table["held_out"] & (rough < MAX_DISAGREEMENT)
    features, framed, _, basis = _mesh_features(mesh[fitted], None)
    target, _ = face_frame(marks[fitted], mesh[fitted][:, 33], mesh[fitted][:, 263])
    offset = (target - framed[:, MESH_68]).reshape(len(features), -1)
    weight = np.linalg.solve(features.T @ features + RIDGE * np.eye(features.shape[1]), features.T @ offset)
    points = np.full((len(mesh), 68, 2), np.nan)
    features, framed, back, _ = _mesh_features(mesh[has_mesh], basis)
    features[:, 1:] = np.clip(features[:, 1:], -9, 9)
    points[has_mesh] = back(framed[:, MESH_68] + (features @ weight).reshape(-1, 68, 2))
    checked = has_both & table["held_out"]
    error = mean_error(points[checked], marks[checked])
    before = mean_error(mesh[checked][:, MESH_68], marks[checked])
    return points, {"before": float(before.mean()), "after": float(error.mean()), "after_median": float(np.median(error))}


def mean_error(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean distance over the 68 points, over the distance of the outer eye corners."""
    eyes = np.linalg.norm(truth[:, OUTER_EYES[0]] - truth[:, OUTER_EYES[1]], axis=-1)
    return np.linalg.norm(points - truth, axis=-1).mean(-1) / np.maximum(eyes, 1e-6)


def pose_from_teacher(pictures: Pictures) -> np.ndarray:
    rotation = pictures.table["rotation"].astype(np.float64)
    pose = np.full((len(rotation), 3), np.nan)
    known = np.isfinite(rotation[:, 0, 0])
    pose[known] = degrees_from_rotation(rotation[known])
    return pose


def _box_features(points: np.ndarray, yaw_degrees: np.ndarray) -> np.ndarray:
    low, high = points.min(1), points.max(1)
    size = (high - low).max(1, keepdims=True)
    brow = points[:, 17:27].mean(1)
    turn = np.sin(np.radians(yaw_degrees))[:, None] * size
    return np.concatenate([low, high, brow, points[:, 30], turn, np.abs(turn)], 1)


def box_map(points: np.ndarray, pose: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Linear map from `_box_features` to the teacher's box, fitted free of place and size."""
    known = np.isfinite(points[:, 0, 0]) & np.isfinite(pose[:, 0]) & np.isfinite(boxes[:, 0])
    centre = points[known].mean(1, keepdims=True)
    size = (points[known].max(1) - points[known].min(1)).max(1)[:, None, None]
    framed = (points[known] - centre) / size
    target = ((boxes[known].reshape(-1, 2, 2) - centre) / size).reshape(-1, 4)
    sane = np.abs(target).max(1) < 1.5
    features = np.concatenate([_box_features(framed, pose[known, 0]), np.ones((known.sum(), 1))], 1)
    return np.linalg.lstsq(features[sane], target[sane], rcond=None)[0]


def boxes_from_points(points: np.ndarray, pose: np.ndarray, mapping: np.ndarray) -> np.ndarray:
    centre = points.mean(1, keepdims=True)
    size = (points.max(1) - points.min(1)).max(1)[:, None, None]
    features = _box_features((points - centre) / size, pose[:, 0])
    box = np.concatenate([features, np.ones((len(features), 1))], 1) @ mapping
    return (box.reshape(-1, 2, 2) * size + centre).reshape(-1, 4)


def build(pictures: Pictures) -> tuple[FaceLabels, np.ndarray, dict[str, float]]:
    """(labels of every picture, box map for renders, agreement of mesh and marks)."""
    table = pictures.table
    points, agreement = points_from_mesh(pictures)
    pose = pose_from_teacher(pictures)
    marks = table["labels68"] - LABEL_SHIFT_PX
    is_marked = np.isfinite(marks[:, 0, 0])
    mesh_error = mean_error(points, np.where(is_marked[:, None, None], marks, points))
    # A mesh on another face, or marks that slipped: no telling which, so neither is used for pose.
    pose[mesh_error > MAX_DISAGREEMENT] = np.nan
    points = np.where(is_marked[:, None, None], marks, points)
    box = np.full((len(points), 4), np.nan)
    for index in range(len(points)):
        rows = pictures.faces(index)
        if len(rows) and np.isfinite(points[index, 0, 0]):
            nose = points[index, 30]
            holds = (rows[:, 0] < nose[0]) & (nose[0] < rows[:, 2]) & (rows[:, 1] < nose[1]) & (nose[1] < rows[:, 3])
            if holds.any():
                box[index] = rows[np.argmax(holds), :4]
    mapping = box_map(points, pose, box)
    labels = FaceLabels(points.astype(np.float32), pose.astype(np.float32), box.astype(np.float32), table["held_out"], is_marked)
    return labels, mapping, agreement


def save(folder: Path) -> None:
    labels, mapping, agreement = build(landmarks_pictures.load(folder))
    print("mesh against marks on held-out people, over inter-ocular distance:", agreement)
    np.savez(folder / "labels.npz", mapping=mapping, **vars(labels))


def load(folder: Path) -> tuple[FaceLabels, np.ndarray]:
    with np.load(folder / "labels.npz") as stored:
        parts = {key: stored[key] for key in stored.files}
    mapping = parts.pop("mapping")
    return FaceLabels(**parts), mapping
