"""Drawn heads with exact labels for the actions network: actions, eye closure, gaze of each eye, head pose.

The heads are those of `landmarks_render`. The eyes are painted anew, pixel by pixel: a ray meets the eyeball's sphere,
and its angle to the gaze axis decides between pupil, iris and white. Vertices are too coarse for gaze.

Eyes are counted as they are seen: image-left first. Gaze is in the head's own frame, with the signs of head pose:
yaw > 0 towards image-right, pitch > 0 downwards.
"""

import os
from pathlib import Path

import cv2
import numpy as np

from . import affect_data, align, landmarks_render as heads
from .actions_targets import ACTIONS
from .common import CACHE
from .fairface import KEPT_EYES, KEPT_PX
from .landmarks_render import rotation_from_degrees

PART_RENDERS = 250
# Of ten identities, one is held out.
HELD_OUT_EVERY = 10
CANVAS_PX = 448
GAZE_YAW_LIMIT, GAZE_PITCH_LIMIT = 32.0, 22.0
# The eyelids and the skin around follow the gaze; a shape is whole at about these angles.
LOOK_YAW, LOOK_PITCH = 35.0, 28.0
EYE_DISTANCE_CM = 6.3
# Names of the model ending in _R belong to the eye that the camera sees on its left.
SIDES = ("R", "L")


def model() -> dict:
    if heads._model is None:
        heads._load_model()
        for name in ("identity", "expression"):
            heads._model[name] = heads._model[name].astype(np.float32)
        for name, place in zip(SIDES, (-1, 1)):
            rows = np.arange(heads.EYES.start, heads.EYES.stop)
            heads._model[f"eye_{name}"] = rows[heads._model["neutral"][rows, 0] * place > 0]
    return heads._model


def draw_state(rng: np.random.Generator) -> dict:
    """A random pose, expression, closure and gaze."""
    names = model()["names"]
    weights = dict.fromkeys(names, 0.0)
    if rng.random() < 0.85:
        for action in rng.choice(len(ACTIONS), rng.integers(1, 5), replace=False):
            strength = rng.uniform(0.1, 1.0)
            one_sided = rng.random() < 0.12
            kept_side = SIDES[int(rng.integers(2))]
            for name in ACTIONS[action].model_names:
                if not (one_sided and name[-2:] in ("_L", "_R") and name[-1] != kept_side):
                    weights[name] = max(weights[name], strength * rng.uniform(0.85, 1.0))
    for name in rng.choice([n for n in names if n.startswith(("mouth", "jaw", "cheek"))], 2):
        if rng.random() < 0.2:
            weights[name] = max(weights[name], rng.uniform(0.1, 0.6))
    closure = _closure(rng)
    yaw = float(np.clip(rng.normal(0, 14), -GAZE_YAW_LIMIT, GAZE_YAW_LIMIT) if rng.random() < 0.5 else rng.uniform(-1, 1) * GAZE_YAW_LIMIT)
    pitch = float(np.clip(rng.normal(0, 9), -GAZE_PITCH_LIMIT, GAZE_PITCH_LIMIT) if rng.random() < 0.5 else rng.uniform(-1, 1) * GAZE_PITCH_LIMIT)
    toe_in = np.degrees(np.arctan(EYE_DISTANCE_CM / 2 / rng.uniform(35, 250)))
    head_yaw = rng.uniform(-60, 60) if rng.random() < 0.25 else np.clip(rng.normal(0, 17), -50, 50)
    return {
        "weights": weights, "closure": closure,
        "gaze": np.array([yaw + toe_in, pitch, yaw - toe_in, pitch]),
        "pose": np.array([head_yaw, np.clip(rng.normal(0, 12), -32, 32), rng.uniform(-15, 15)]),
    }


def _closure(rng: np.random.Generator) -> np.ndarray:
    """Of the image-left and the image-right eye, 0 open … 1 closed."""
    pick = rng.random()
    if pick < 0.45:
        both = np.full(2, rng.uniform(0, 0.1))
    elif pick < 0.75:
        both = np.full(2, rng.uniform(0, 1))
    elif pick < 0.92:
        both = np.full(2, rng.uniform(0.9, 1.0))
    else:
        both = rng.permutation([rng.uniform(0.0, 0.15), rng.uniform(0.5, 1.0)])
    return np.clip(both + rng.normal(0, 0.02, 2), 0, 1)


def all_weights(state: dict) -> dict[str, float]:
    """The expression with eyelids closed and turned with the gaze."""
    weights = dict(state["weights"])
    for number, side in enumerate(SIDES):
        yaw, pitch = state["gaze"][2 * number : 2 * number + 2]
        weights[f"eyeBlink_{side}"] = float(state["closure"][number])
        outwards = yaw if side == "L" else -yaw
        weights[f"eyeLookOut_{side}"] = max(outwards, 0) / LOOK_YAW
        weights[f"eyeLookIn_{side}"] = max(-outwards, 0) / LOOK_YAW
        weights[f"eyeLookDown_{side}"] = max(pitch, 0) / LOOK_PITCH
        weights[f"eyeLookUp_{side}"] = max(-pitch, 0) / LOOK_PITCH
        # A closed eye shows no wide or looking lid.
        for name in ("eyeWide", "eyeLookUp", "eyeSquint"):
            weights[f"{name}_{side}"] *= 1 - state["closure"][number]
    return weights


def render(look_seed: int, state: dict) -> dict[str, np.ndarray]:
    """One head. Identity, skin, light and camera depend on `look_seed` alone, so that a clip keeps them."""
    head, rng = model(), np.random.default_rng(look_seed)
    vertices = head["neutral"].astype(np.float64)
    vertices = vertices + np.tensordot(rng.normal(0, 0.9, len(head["identity"])), head["identity"], 1)
    weights = all_weights(state)
    for index, name in enumerate(head["names"]):
        if weights[name] > 1e-4:
            vertices += weights[name] * head["expression"][index]
    size, distance_cm = CANVAS_PX, rng.uniform(35, 130)
    focal_px = size * rng.uniform(0.42, 0.58) * distance_cm / 20
    shift = size * np.array([0.5, 0.47])
    rotation = rotation_from_degrees(*state["pose"])

    def camera(points_cm: np.ndarray) -> np.ndarray:
        return ((points_cm - heads.HEAD_CENTRE_CM) * heads.TO_CAMERA) @ rotation.T + [0, 0, distance_cm]

    def project(points_cm: np.ndarray) -> np.ndarray:
        seen = camera(points_cm)
        return seen[:, :2] / seen[:, 2:] * focal_px + shift

    seen = camera(vertices)
    flat = seen[:, :2] / seen[:, 2:] * focal_px + shift
    quads = head["quads"]
    corner = seen[quads]
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    ray = corner.mean(1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    shade = heads._light(rng, normal, ray)
    tone = heads._albedo(rng)[quads].mean(1)
    gain = rng.uniform(110, 250)
    values = np.clip(tone * shade * gain, 0, 255)
    # Three channels painted at once: grey, cover, and which eyeball is in sight (1 or 2).
    canvas = np.zeros((size, size, 3), np.float32)
    behind, cover = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    heads._draw_behind(behind, cover, project, rng)
    canvas[..., 0], canvas[..., 1] = behind, cover
    eye_of = np.zeros(len(quads), int)
    for number, side in enumerate(SIDES):
        eye_of[np.isin(quads[:, 0], head[f"eye_{side}"])] = number + 1
    inner = (quads[:, 0] >= heads.HEAD_VERTICES) & (quads[:, 0] < heads.TEETH.start)
    order = np.flatnonzero((-(normal * ray).sum(1) > 0) | inner)
    depth = corner[:, :, 2].mean(1) + 0.3 * inner + 0.25 * (eye_of > 0)
    polygons = np.round(flat[quads] * 16).astype(np.int32)
    for index in order[np.argsort(-depth[order])]:
        cv2.fillConvexPoly(canvas, polygons[index], (float(values[index]), 255.0, float(eye_of[index])), cv2.LINE_8, 4)
    grey = np.ascontiguousarray(canvas[..., 0])
    eye_look = rng.integers(2**31)
    for number, side in enumerate(SIDES):
        ball = seen[head[f"eye_{side}"]]
        centre = (ball.min(0) + ball.max(0)) / 2
        radius = float(np.median(np.linalg.norm(ball - centre, axis=1)))
        turn = rotation @ rotation_from_degrees(*state["gaze"][2 * number : 2 * number + 2], 0)
        light = float(np.median(shade[eye_of == number + 1])) * gain
        _paint_eye(grey, canvas[..., 2] == number + 1, centre, radius, turn, focal_px, shift, light, np.random.default_rng(eye_look))
    if rng.random() < 0.2 and abs(state["pose"][0]) < 50:
        heads._draw_glasses(grey, project, rng)
    points = project(vertices[head["landmarks68"]])
    to_source = align.similarity_from_eyes(*align.eye_centres(points), KEPT_EYES[:2], KEPT_EYES[2:], KEPT_PX, KEPT_PX)
    turn = np.degrees(np.arctan2(to_source[1, 0], to_source[0, 0]))
    kept = lambda layer: np.clip(affect_data.warp(layer, to_source, KEPT_PX), 0, 255).round().astype(np.uint8)
    return {
        "image": kept(grey), "alpha": kept(np.ascontiguousarray(canvas[..., 1])),
        "closure": state["closure"].astype(np.float32),
        "gaze": state["gaze"].astype(np.float32),
        "pose": (state["pose"] - [0, 0, turn]).astype(np.float32),
        "actions": np.array([np.mean([weights[name] for name in action.model_names]) for action in ACTIONS], np.float32),
    }


def _paint_eye(grey, mask, centre, radius, turn, focal_px, shift, light, rng) -> None:
    """Pupil, iris, limbus, white, the lids' shadow and a glint onto the pixels of `mask`."""
    white, iris = rng.uniform(0.65, 1.0), rng.uniform(0.06, 0.5)
    iris_deg, pupil_share = rng.uniform(26, 31), rng.uniform(0.28, 0.6)
    spokes, spoke_phase, has_glint = int(rng.integers(20, 50)), rng.uniform(0, 6.3), rng.random() < 0.7
    glint_place, glint_size = rng.normal(0, 0.35, 2), rng.uniform(0.05, 0.16)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return
    ray = np.stack([(columns + 0.5 - shift[0]) / focal_px, (rows + 0.5 - shift[1]) / focal_px, np.ones(len(rows))], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    along = ray @ centre
    inside = np.maximum(along**2 - centre @ centre + radius**2, 0)
    surface = (ray * (along - np.sqrt(inside))[:, None] - centre) / radius
    local = surface @ turn
    angle = np.degrees(np.arccos(np.clip(-local[:, 2] / (np.linalg.norm(local, axis=1) + 1e-9), -1, 1)))
    about = np.arctan2(local[:, 1], local[:, 0])
    soft = lambda edge, width: np.clip((edge - angle) / width + 0.5, 0, 1)
    fibres = iris * (1 + 0.25 * np.sin(spokes * about + spoke_phase) * np.clip(angle / iris_deg, 0, 1))
    rim = 1 - 0.6 * np.exp(-(((angle - iris_deg) / 3.0) ** 2))
    tone = white * (1 - 0.25 * np.clip((angle - iris_deg) / 45, 0, 1))
    tone += (fibres * rim - tone) * soft(iris_deg, 2.5)
    tone += (0.03 - tone) * soft(pupil_share * iris_deg, 2.0)
    reach = max(2.0, 0.25 * radius / centre[2] * focal_px)
    opened = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), reach)[rows, columns]
    value = tone * light * (0.45 + 0.55 * np.clip(opened * 1.3, 0, 1))
    if has_glint:
        iris_radius = np.sin(np.radians(iris_deg))
        away = np.hypot(local[:, 0] / iris_radius - glint_place[0], local[:, 1] / iris_radius - glint_place[1])
        value = np.where(away < glint_size * 2, np.maximum(value, light * np.clip(1.6 - away / (2 * glint_size), 0, 1.2)), value)
    grey[rows, columns] = np.clip(value, 0, 255)


def folder() -> Path:
    return CACHE / "actions_renders"


def prepare(count: int, seed: int, show) -> None:
    """Renders the parts that are missing."""
    folder().mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    numbers = range(-(-count // PART_RENDERS))
    missing = [number for number in numbers if not (folder() / f"part_{number:03}.npz").exists()]
    for done, number in enumerate(missing):
        rows = []
        for index in range(number * PART_RENDERS, (number + 1) * PART_RENDERS):
            rows.append(render(seed * 10_000_000 + index, draw_state(np.random.default_rng([seed, index]))))
        columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        index = np.arange(number * PART_RENDERS, (number + 1) * PART_RENDERS)
        partial = folder() / f"part_{number:03}.partial"
        with open(partial, "wb") as file:
            np.savez(file, held_out=index % HELD_OUT_EVERY == 0, **columns)
        os.replace(partial, folder() / f"part_{number:03}.npz")
        show(done + 1, len(missing))


def load(held_out: bool) -> dict[str, np.ndarray]:
    """The rendered heads of the training identities, or of the identities kept for figures."""
    found = []
    for path in sorted(folder().glob("part_[0-9][0-9][0-9].npz")):
        with np.load(path) as stored:
            chosen = stored["held_out"] == held_out
            found.append({name: stored[name][chosen] for name in stored.files if name != "held_out"})
    if not found:
        raise SystemExit("no renders: run `python -m training prepare actions` first")
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}
