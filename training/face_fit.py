"""The ICT face model fitted to 68 points: whose head, which expression, how it stands in the picture.

A scaled orthographic camera, p = scale · (R · v)₁₂ + shift, in the frame written down in `landmarks_render`. Camera and
coefficients take turns: a linear camera from the points, made a rotation; then a ridge regression of the
coefficients, whose prior keeps a head a head where 68 noisy points say too little. Many faces at once.
"""

import dataclasses

import numpy as np

from training.common import SHARED
from training.landmarks_render import HEAD_CENTRE_CM, HEAD_VERTICES, TO_CAMERA

ROUNDS = 3
# One coordinate of one point, in cm on the head: what the landmark network errs by.
POINT_SD_CM = 0.3
IDENTITY_SD, EXPRESSION_SD = 1.0, 0.4
# The model's jaw marks follow the bone, the network's the visible outline.
WEIGHTS = np.r_[np.full(17, 0.15), np.ones(51)]


class HeadModel:
    """Neutral head, movements and normals of its skin, in the camera frame about the head's centre, in cm."""

    def __init__(self):
        with np.load(SHARED / "data" / "face_model.npz") as stored:
            names = [str(name) for name in stored["expression_names"]]
            kept = [number for number, name in enumerate(names) if not name.startswith("Pupil")]
            skin = slice(0, HEAD_VERTICES)
            neutral, quads, self.marks = stored["neutral"], stored["quads"], stored["landmarks68"]
            movements = np.concatenate([stored["identity"][:, skin], stored["expression"][kept, skin]])
        self.neutral = ((neutral[skin] - HEAD_CENTRE_CM) * TO_CAMERA).astype(np.float32)
        self.movements = movements.astype(np.float32) * TO_CAMERA.astype(np.float32)
        self.identities = len(movements) - len(kept)
        self.prior_sd = np.r_[np.full(self.identities, IDENTITY_SD), np.full(len(kept), EXPRESSION_SD)]
        self.quads = quads[(quads < HEAD_VERTICES).all(axis=1) & (quads >= 0).all(axis=1)]
        self.normals = vertex_normals(self.neutral, self.quads)

    def head(self, coefficients: np.ndarray) -> np.ndarray:
        """The vertices [n, 3] of one head."""
        return self.neutral + np.tensordot(coefficients.astype(np.float32), self.movements, 1)


def vertex_normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Unit normals pointing out of the skin [n, 3]."""
    corner = vertices[quads]
    face = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    total = np.zeros_like(vertices)
    for number in range(4):
        np.add.at(total, quads[:, number], face)
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9)


@dataclasses.dataclass
class Fits:
    """One row a face: pixels per cm, rotation, shift in px, coefficients, and error over the eyes' distance."""

    scale: np.ndarray
    rotation: np.ndarray
    shift: np.ndarray
    coefficients: np.ndarray
    error: np.ndarray

    def __getitem__(self, chosen) -> "Fits":
        return Fits(*(getattr(self, field.name)[chosen] for field in dataclasses.fields(self)))


def fit(model: HeadModel, points: np.ndarray) -> Fits:
    """The head behind each row of `points` [n, 68, 2] in px."""
    chunks = [_fit_chunk(model, points[start : start + 256]) for start in range(0, len(points), 256)]
    return Fits(*(np.concatenate([getattr(one, field.name) for one in chunks]) for field in dataclasses.fields(Fits)))


def _fit_chunk(model: HeadModel, points: np.ndarray) -> Fits:
    points = points.astype(np.float64)
    movements = model.movements[:, model.marks].astype(np.float64)
    base = model.neutral[model.marks].astype(np.float64)
    coefficients = np.zeros((len(points), len(movements)))
    for _ in range(ROUNDS):
        marks = base + np.einsum("nk,kmc->nmc", coefficients, movements)
        scale, rotation, shift = _camera(marks, points)
        to_picture = scale[:, None, None] * rotation[:, :2]
        seen = np.einsum("nac,kmc->nmak", to_picture, movements).reshape(len(points), -1, len(movements))
        rest = points - np.einsum("nac,mc->nma", to_picture, base) - shift[:, None]
        precision = np.repeat(WEIGHTS, 2)[None] / (scale[:, None] * POINT_SD_CM) ** 2
        weighted = seen * precision[..., None]
        normal = np.swapaxes(seen, 1, 2) @ weighted + np.diag(model.prior_sd**-2.0)
        wanted = np.einsum("npk,np->nk", weighted, rest.reshape(len(points), -1))
        coefficients = np.linalg.solve(normal, wanted[..., None])[..., 0]
        moved = coefficients[:, model.identities :]
        np.clip(moved, -0.2, 1.2, out=moved)
    marks = base + np.einsum("nk,kmc->nmc", coefficients, movements)
    scale, rotation, shift = _camera(marks, points)
    found = scale[:, None, None] * np.einsum("nac,nmc->nma", rotation[:, :2], marks) + shift[:, None]
    apart = np.linalg.norm(points[:, 36] - points[:, 45], axis=1)
    error = np.linalg.norm(found - points, axis=2)[:, 17:].mean(axis=1) / np.maximum(apart, 1e-6)
    return Fits(scale, rotation, shift, coefficients, error)


def _camera(marks: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale, rotation and shift that bring each head's marks [n, 68, 3] nearest to its points [n, 68, 2]."""
    share = WEIGHTS / WEIGHTS.sum()
    middle = np.einsum("m,nmc->nc", share, marks)
    centre = np.einsum("m,nma->na", share, points)
    offsets, targets = marks - middle[:, None], points - centre[:, None]
    spread = np.einsum("m,nmc,nmd->ncd", share, offsets, offsets)
    together = np.einsum("m,nma,nmc->nac", share, targets, offsets)
    linear = together @ np.linalg.inv(spread)
    # The nearest pair of orthogonal rows of one length; the third row completes the rotation.
    left, sizes, right = np.linalg.svd(linear, full_matrices=False)
    scale = sizes.mean(axis=1)
    rows = left @ right
    rotation = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
    shift = centre - scale[:, None] * np.einsum("nac,nc->na", rows, middle)
    return scale, rotation, shift
