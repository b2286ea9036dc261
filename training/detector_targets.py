"""What every cell of the detector's grid should say about a scene, and how far off it is.

A face belongs to the cells near its middle; a ring around them is left undecided, so that the
network need not draw a sharp edge where there is none. All cells of one face together weigh
as much as those of another, be it large or small.
"""

import numpy as np
import torch
from torch import nn

STRIDE_PX = 8
CORE, RING = 0.16, 0.36


def cell_centres(rows: int, columns: int) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return (np.stack([x, y], -1).astype(np.float32) + 0.5) * STRIDE_PX


def targets(faces: np.ndarray, ignored: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """(plan [16, rows, columns], number of faces): plan[0] is 1 face, 0 none, -1 undecided;
    plan[1] a face cell's weight; plan[2:16] its face's box and points in px."""
    centres = cell_centres(rows, columns)
    plan = np.zeros((16, rows, columns), np.float32)
    for box in ignored:
        inside = ((centres >= box[:2]) & (centres <= box[2:4])).all(-1)
        plan[0][inside] = -1
    for face in sorted(faces, key=lambda face: -np.prod(face[2:4] - face[:2])):
        middle, size = (face[:2] + face[2:4]) / 2, face[2:4] - face[:2]
        distance = np.linalg.norm((centres - middle) / size, axis=-1)
        nearest = np.unravel_index(np.argmin(distance), distance.shape)
        core, ring = distance < CORE, distance < RING
        core[nearest] = True
        plan[0][ring & (plan[0] == 0)] = -1
        plan[0][core], plan[1][core] = 1, 1 / core.sum()
        plan[2:, core] = face[:, None]
    return plan, np.array([len(faces)], np.float32)


def losses(out, plan: torch.Tensor):
    """(score, box, points) losses, each a mean over faces."""
    logit, box, points = out
    truth, weight = plan[:, 0], plan[:, 1]
    probability = torch.sigmoid(logit[:, 0]).clamp(1e-5, 1 - 1e-5)
    is_face, is_none = truth == 1, truth == 0
    faces = weight[is_face].sum().clamp_min(1)
    positive = ((1 - probability) ** 2 * -probability.log())[is_face] * weight[is_face]
    negative = (probability**2 * -(1 - probability).log())[is_none]
    score_loss = (3 * positive.sum() + negative.sum()) / faces
    if not is_face.any():
        return score_loss, score_loss * 0, score_loss * 0

    rows, columns = truth.shape[1:]
    centres = torch.from_numpy(cell_centres(rows, columns)).to(plan).permute(2, 0, 1).expand(len(plan), 2, rows, columns)
    centre = _at(centres, is_face)
    true_box, true_points = _at(plan[:, 2:6], is_face), _at(plan[:, 6:16], is_face)
    edges = _at(box, is_face)
    found = torch.cat([centre - edges[:, :2], centre + edges[:, 2:]], 1)
    share = weight[is_face] / faces
    box_loss = ((1 - _overlap(found, true_box)) * share).sum()
    size = (true_box[:, 2:] - true_box[:, :2]).mean(1, keepdim=True)
    off = (_at(points, is_face) + centre.repeat(1, 5) - true_points) / size
    point_loss = (nn.functional.smooth_l1_loss(off, torch.zeros_like(off), beta=0.03, reduction="none").mean(1) * share).sum()
    return score_loss, box_loss, point_loss


def _at(maps: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return maps.permute(0, 2, 3, 1)[chosen]


def _overlap(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Generalised intersection over union, row by row."""
    low, high = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    shared = (high - low).clamp_min(0).prod(1)
    union = (one[:, 2:] - one[:, :2]).prod(1) + (other[:, 2:] - other[:, :2]).prod(1) - shared
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(1)
    return shared / union - (hull - union) / hull
