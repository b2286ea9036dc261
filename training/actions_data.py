"""What the actions network learns from: photographs labelled by teachers, renders with exact labels, and their views.

A missing label is NaN. Columns of `targets`: 20 actions, closure of the image-left and the image-right eye, gaze yaw and
pitch of each, head yaw, pitch, roll.
"""

import math

import cv2
import numpy as np

from . import actions_render, affect_data, fairface
from .actions_net import SIZE_PX
from .actions_targets import ACTIONS, from_mediapipe
from .landmarks_surroundings import texture

ACTION_COLUMNS = slice(0, len(ACTIONS))
CLOSURE_COLUMNS = slice(20, 22)
GAZE_COLUMNS = slice(22, 26)
POSE_COLUMNS = slice(26, 29)
MEAN, STD = 127.5, 64.0
# MediaPipe's blink hardly rises above this where an eye is shut.
SHUT_BLINK = 0.65
# MediaPipe leaves some actions at nothing for every face; photographs say nothing about those.
MIN_ACTION_SD = 0.004
# The gaze teacher is believed where the head is not turned far and the eyes are open.
GAZE_MAX_YAW, GAZE_MAX_BLINK, GAZE_LIMIT = 40.0, 0.4, 40.0
# Mirrored: eyes change places, yaw and roll change signs.
MIRROR_PLACES = np.r_[0:20, 21, 20, 24, 25, 22, 23, 26:29]
MIRROR_SIGNS = np.r_[np.ones(22), -1, 1, -1, 1, -1, 1, -1].astype(np.float32)


def photographs(split: str) -> dict[str, np.ndarray]:
    """FairFace's labelled adults: `image`, `targets`, and all that the teachers reported."""
    faces = fairface.load(split)
    faces["targets"] = teacher_targets(faces)
    return faces


def teacher_targets(faces: dict[str, np.ndarray]) -> np.ndarray:
    actions = from_mediapipe(faces["blendshapes"])
    blink = faces["blendshapes"][:, [10, 9]]  # the person's right eye is the image-left one
    pose = fairface.crop_pose(faces["rotation"].astype(np.float64), faces["to_source"])
    gaze = gaze_in_head(faces["gaze"], pose)
    doubtful = (np.abs(pose[:, 0]) > GAZE_MAX_YAW) | (blink.max(axis=1) > GAZE_MAX_BLINK)
    gaze[doubtful] = np.nan
    both = np.clip(np.concatenate([gaze, gaze], axis=1), -GAZE_LIMIT, GAZE_LIMIT)
    return np.concatenate([actions, np.clip(blink / SHUT_BLINK, 0, 1), both, pose], axis=1).astype(np.float32)


def gaze_in_head(vector: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Yaw and pitch in the head's frame of the gaze teacher's vectors, whose frame is the level camera's."""
    unit = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    yaw = np.degrees(np.arctan2(unit[:, 0], -unit[:, 2])) - pose[:, 0]
    pitch = -np.degrees(np.arcsin(np.clip(unit[:, 1], -1, 1))) - pose[:, 1]
    return np.stack([yaw, pitch], axis=1)


def renders(held_out: bool) -> dict[str, np.ndarray]:
    faces = actions_render.load(held_out)
    faces["targets"] = np.concatenate([faces["actions"], faces["closure"], faces["gaze"], faces["pose"]], axis=1)
    # A shut eye shows no gaze.
    for eye in range(2):
        faces["targets"][faces["closure"][:, eye] > 0.6, 22 + 2 * eye : 24 + 2 * eye] = np.nan
    return faces


def over_background(image: np.ndarray, alpha: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    cover = alpha.astype(np.float32) / 255
    return image * cover + texture(rng, *image.shape) * (1 - cover)


def plain_views(images: np.ndarray, alphas: np.ndarray | None = None) -> np.ndarray:
    """The network's input for kept squares, not changed in any way; renders get one background each, always the same."""
    margin = (fairface.KEPT_PX - SIZE_PX) // 2
    middle = slice(margin, margin + SIZE_PX)
    views = np.empty((len(images), SIZE_PX, SIZE_PX), np.float32)
    for number, image in enumerate(images):
        whole = image if alphas is None else over_background(image, alphas[number], np.random.default_rng(number))
        views[number] = whole[middle, middle]
    return normalise(views)


def normalise(views: np.ndarray) -> np.ndarray:
    return ((views - MEAN) / STD)[:, None].astype(np.float32)


class Batches:
    """Step number in, batch out: views [n, 1, 128, 128], targets [n, 29], and which rows are photographs."""

    def __init__(self, cfg: dict):
        self.cfg, self.photographs, self.renders = cfg, photographs("train"), renders(held_out=False)
        targets = self.photographs["targets"]
        spread = targets[:, ACTION_COLUMNS].std(axis=0)
        targets[:, ACTION_COLUMNS][:, spread < MIN_ACTION_SD] = np.nan
        # Faces with a rare action, and faces with shut eyes, are drawn more often.
        unusual = np.nan_to_num((targets[:, ACTION_COLUMNS] / np.maximum(spread, MIN_ACTION_SD)).clip(0, 8)).max(axis=1)
        odds = 1 + unusual + 6 * (targets[:, CLOSURE_COLUMNS].max(axis=1) > 0.7)
        self.bounds = np.cumsum(odds / odds.sum())

    def __len__(self) -> int:
        return self.cfg["steps"]

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng([self.cfg["seed"], step])
        rendered = round(self.cfg["batch"] * self.cfg["render_share"])
        rows = []
        for number in range(self.cfg["batch"]):
            if number < rendered:
                index = int(rng.integers(len(self.renders["image"])))
                image = over_background(self.renders["image"][index], self.renders["alpha"][index], rng)
                rows.append(jittered(image.astype(np.float32), self.renders["targets"][index], rng))
            else:
                index = min(int(np.searchsorted(self.bounds, rng.random())), len(self.bounds) - 1)
                rows.append(jittered(self.photographs["image"][index].astype(np.float32), self.photographs["targets"][index], rng))
        views = light_and_noise(np.stack([view for view, _ in rows]), self.cfg, rng)
        return normalise(views), np.stack([targets for _, targets in rows]), np.arange(len(rows)) >= rendered


def jittered(image: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A view shifted, sized, turned, blurred and mirrored at random, as found eyes and cameras differ."""
    angle, scale = rng.normal(0, 4.0), math.exp(rng.normal(0, 0.05))
    cos, sin = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = np.full(2, SIZE_PX / 2)
    start = np.full(2, fairface.KEPT_PX / 2) + rng.normal(0, 0.012 * SIZE_PX, 2) - turn @ middle
    view = affect_data.warp(image, np.column_stack([turn, start]), SIZE_PX)
    if rng.random() < 0.25:
        low = int(rng.integers(SIZE_PX // 3, SIZE_PX))
        view = cv2.resize(cv2.resize(view, (low, low), interpolation=cv2.INTER_AREA), (SIZE_PX, SIZE_PX))
    elif rng.random() < 0.2:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.4))
    targets = targets.copy()
    targets[28] -= angle
    if rng.random() < 0.5:
        view, targets = view[:, ::-1], targets[MIRROR_PLACES] * MIRROR_SIGNS
    return view, targets


def light_and_noise(views: np.ndarray, cfg: dict, rng: np.random.Generator) -> np.ndarray:
    augmenter = affect_data.Augmenter({"input": {"size_px": SIZE_PX}, "augment": cfg["augment"]}, rng)
    return augmenter.light_and_noise(views)
