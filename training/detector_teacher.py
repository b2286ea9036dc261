"""The teacher YuNet: boxes and five points that our detector learns from. Used in preparation only."""

import numpy as np
import onnxruntime

from .common import SHARED

STRIDES_PX = (8, 16, 32)


class YuNet:
    """A picture (BGR, u8) in; rows of x0 y0 x1 y1, five points, score out, best first, in px."""

    def __init__(self, min_score: float = 0.6):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = SHARED / "teachers" / "yunet_n_dynamic.onnx"
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.min_score = min_score

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.float32)
        padded[:height, :width] = picture
        name = self.session.get_inputs()[0].name
        values = self.session.run(None, {name: padded.transpose(2, 0, 1)[None]})
        out = {output.name: value for output, value in zip(self.session.get_outputs(), values)}
        rows = [self._decode(out, stride, padded.shape[1] // stride) for stride in STRIDES_PX]
        return suppress(np.concatenate(rows), max_overlap=0.4)

    def _decode(self, out: dict, stride: int, columns: int) -> np.ndarray:
        flat = {key: out[f"{key}_{stride}"].reshape(-1, out[f"{key}_{stride}"].shape[-1]) for key in ("cls", "obj", "bbox", "kps")}
        score = np.sqrt(np.clip(flat["cls"][:, 0], 0, 1) * np.clip(flat["obj"][:, 0], 0, 1))
        kept = np.flatnonzero(score >= self.min_score)
        cell = np.stack([kept % columns, kept // columns], 1).astype(np.float32)
        centre = (cell + flat["bbox"][kept, :2]) * stride
        half = np.exp(flat["bbox"][kept, 2:]) * stride / 2
        points = (flat["kps"][kept].reshape(-1, 5, 2) + cell[:, None]) * stride
        return np.concatenate([centre - half, centre + half, points.reshape(-1, 10), score[kept, None]], 1)


def overlap(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with many (x0 y0 x1 y1 first in each row)."""
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:4], many[:, 2:4])
    shared = np.prod(np.clip(high - low, 0, None), 1)
    area = np.prod(one[2:4] - one[:2]) + np.prod(many[:, 2:4] - many[:, :2], 1)
    return shared / np.maximum(area - shared, 1e-9)


def suppress(rows: np.ndarray, max_overlap: float) -> np.ndarray:
    """Of boxes that overlap more than allowed, keeps the one with the highest last column."""
    rows = rows[np.argsort(-rows[:, -1])]
    kept = []
    while len(rows):
        kept.append(rows[0])
        rows = rows[1:][overlap(rows[0], rows[1:]) <= max_overlap]
    return np.array(kept, np.float32).reshape(-1, 15)
