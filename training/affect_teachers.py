"""What earlier networks say of faces: labels where there are no votes, a second word where there are.

Three teachers are heard together: the network that shipped before, OpenVINO's emotions (five classes, AffectNet) and
MediaPipe's blendshapes. `Fused` is a linear layer on their answers, fitted to the votes of the held-out FER+ faces, which the
earlier network never learned from. So a smile means for its answer what it meant for the voters.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from training import affect_data, affect_measure, shipping
from training.actions_targets import MEDIAPIPE
from training.common import ROOT

FLOOR = 1e-3
FOLDS = 5
# MediaPipe leaves some blendshapes at nothing for every face.
MIN_SD = 0.004
PENALTIES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


def softened(faces: dict, told: dict, share: float) -> dict:
    """Faces with `share` of each target as it was `told` (Hinton et al., *Distilling the knowledge*, 2015).

    Ten votes are few; what a network has learned from all faces says where a face's own votes are likely odd.
    """
    return faces | {name: ((1 - share) * faces[name] + share * word).astype(np.float32) for name, word in told.items()}


def file_of(given: dict) -> Path:
    """The earlier network's file, after a check that it is the one that the configuration means."""
    path = ROOT / given["file"]
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != given["sha256"]:
        raise SystemExit(f"{path} is missing or another file: get it by `{given['get']}`")
    return path


def earlier_shares(cfg: dict, faces: dict, framings: list[bool], beside: Path) -> np.ndarray:
    """The earlier network's mean shares over framings (aligned or not) of faces; asked once and kept beside `beside`."""
    given, size = cfg["teacher"], cfg["input"]["size_px"]
    stored = beside.with_suffix(f".{given['sha256'][:12]}.shares.npy")
    count = len(faces["image"])
    # Faces that were labelled since follow the others.
    kept = np.load(stored)[:count] if stored.exists() else np.zeros((0, len(affect_data.EXPRESSIONS)), np.float32)
    if len(kept) == count:
        return kept
    net = shipping.OnnxNet(file_of(given).read_bytes())
    shares = np.concatenate([kept, np.zeros((count - len(kept), kept.shape[1]), np.float32)])
    for number in range(len(kept), count):
        grey, eyes = affect_data.grey_of(faces["image"][number]), faces["eyes"][number]
        for is_aligned in framings:
            view = affect_data.warp(grey, affect_data.frame(grey, eyes, cfg["input"], is_aligned), size)
            shares[number] += net(affect_data.normalise(view[None], cfg["input"]))[2][0] / len(framings)
    np.save(stored, shares)
    return shares


def heard(shares: np.ndarray, emotions: np.ndarray, blendshapes: np.ndarray) -> np.ndarray:
    """All that the teachers say of each face, as `Fused` reads it; the first eight are the earlier network's logarithms."""
    seen = ~np.isnan(blendshapes).any(axis=1)
    actions = np.where(seen[:, None], blendshapes, 0)
    return np.concatenate([np.log(shares + FLOOR), np.log(emotions + FLOOR), actions, seen[:, None]], axis=1).astype(np.float32)


class Fused:
    """Shares of the eight expressions from what the teachers say."""

    def __init__(self, words: np.ndarray, shares: np.ndarray, penalty: float):
        seen = words[words[:, -1] > 0]
        self.mean, self.sd = seen.mean(axis=0), seen.std(axis=0)
        self.used = self.sd > MIN_SD
        self.used[: len(affect_data.EXPRESSIONS)] = True
        inputs, targets = torch.from_numpy(self._scaled(words)), torch.from_numpy(shares)
        # Without a change, the answer is the earlier network's.
        change = torch.zeros(inputs.shape[1], shares.shape[1], requires_grad=True)
        bias = torch.zeros(shares.shape[1], requires_grad=True)
        optimiser = torch.optim.LBFGS([change, bias], max_iter=200, line_search_fn="strong_wolfe")
        base = torch.from_numpy(words[:, : shares.shape[1]])

        def loss():
            optimiser.zero_grad()
            value = -(targets * functional.log_softmax(base + inputs @ change + bias, dim=1)).sum(dim=1).mean()
            value = value + penalty * (change**2).sum()
            value.backward()
            return value

        optimiser.step(loss)
        self.change, self.bias = change.detach().numpy(), bias.detach().numpy()

    def _scaled(self, words: np.ndarray) -> np.ndarray:
        # Where MediaPipe saw no face, its actions are the mean of all faces.
        scaled = (words - self.mean) / np.maximum(self.sd, MIN_SD)
        first = len(affect_data.EXPRESSIONS) + 5
        scaled[words[:, -1] == 0, first:] = 0
        return scaled[:, self.used].astype(np.float32)

    def logits(self, words: np.ndarray) -> np.ndarray:
        return words[:, : len(self.bias)] + self._scaled(words) @ self.change + self.bias

    def __call__(self, words: np.ndarray) -> np.ndarray:
        return affect_measure.softmax(self.logits(words)).astype(np.float32)


def best_penalty(words: np.ndarray, shares: np.ndarray) -> tuple[float, list[tuple[float, float, float]]]:
    """The penalty with the least loss on faces left out, and for each penalty the loss and the accuracy on them."""
    fold = np.random.default_rng(0).integers(0, FOLDS, len(words))
    rows = []
    for penalty in PENALTIES:
        told = np.empty_like(shares)
        for number in range(FOLDS):
            told[fold == number] = Fused(words[fold != number], shares[fold != number], penalty)(words[fold == number])
        loss = -(shares * np.log(told + 1e-9)).sum(axis=1).mean()
        rows.append((penalty, float(loss), float((told.argmax(axis=1) == shares.argmax(axis=1)).mean())))
    return min(rows, key=lambda row: row[1])[0], rows


def smile_of(blendshapes: np.ndarray) -> np.ndarray:
    """MediaPipe's mouthSmile, mean of both sides."""
    return blendshapes[:, [MEDIAPIPE.index("mouthSmileLeft"), MEDIAPIPE.index("mouthSmileRight")]].mean(axis=1)
