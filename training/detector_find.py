"""From any picture to faces: the reference for the program's own code around the detector."""

import numpy as np

from . import align, model_card
from .detector_scenes import HEIGHT_PX, PAD_GREY, WIDTH_PX
from .detector_targets import STRIDE_PX
from .detector_teacher import suppress
from .landmarks import MEAN, STD

# Of two boxes that share more than this of their union, the better is kept.
MAX_OVERLAP = model_card.read("detector")["detection"]["max_overlap"]


def fit_picture(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """A grey picture made to fit the working size from its top left, the rest mid-grey:
    (float32 [240, 320], source px per working px)."""
    height, width = grey.shape
    scale = max(width / WIDTH_PX, height / HEIGHT_PX)
    columns = min(WIDTH_PX, max(1, int(width / scale + 0.5)))
    rows = min(HEIGHT_PX, max(1, int(height / scale + 0.5)))
    fitted = np.full((HEIGHT_PX, WIDTH_PX), PAD_GREY, np.float32)
    to_source = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    fitted[:rows, :columns] = align.sample_affine(grey, to_source, columns, rows)
    return fitted, scale


def normalise(fitted: np.ndarray) -> np.ndarray:
    return ((fitted - MEAN) / STD).astype(np.float32)[None, None]


def decode(score: np.ndarray, box: np.ndarray, points: np.ndarray, min_score: float) -> np.ndarray:
    """The network's maps of one picture, to rows of x0 y0 x1 y1, five points, score in working px."""
    y, x = np.nonzero(score[0, 0] >= min_score)
    centre = np.stack([x + 0.5, y + 0.5], 1) * STRIDE_PX
    edges, offsets = box[0][:, y, x].T, points[0][:, y, x].T
    rows = np.concatenate([
        centre - edges[:, :2], centre + edges[:, 2:], offsets + np.tile(centre, 5), score[0, 0, y, x][:, None],
    ], 1)
    return suppress(rows, MAX_OVERLAP)


def find(net, grey: np.ndarray, min_score: float) -> np.ndarray:
    """Faces of a grey picture, in its own px. `net` maps a normalised array to score, box, points."""
    fitted, scale = fit_picture(grey)
    rows = decode(*net(normalise(fitted)), min_score)
    rows[:, :14] *= scale
    return rows
