"""Faces in new head poses: FER+ pictures turned by 3-D reconstruction, made once and mixed in by the loader.

A person before a camera looks to the side; a picture from the web looks at the lens. So each chosen training face is
fitted by the face model and seen from other sides, keeping its label. The same is done to faces never trained on, to
measure what a turn costs; to the drawn heads of `landmarks_render`, for a sheet that may be shown.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from training import affect_data, face_fit, face_turn, landmarks_crops, landmarks_render
from training.common import CACHE, MODELS, run_folder

# The landmark network looks again where it found the points last, as while tracking.
LOOKS = 3
MIN_FACE, MAX_ERROR = 0.5, 0.05
FARTHEST_TURN_DEGREES = 45.0
TARGETS = ("shares", "valence_arousal", "voted")


def cache_file(cfg: dict) -> Path:
    return CACHE / f"{cfg['turned']['cache']}.npz"


class PointFinder:
    """68 points of faces that fill their picture, by the shipped landmark network."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = str(MODELS / "landmarks" / "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def find(self, picture: np.ndarray) -> tuple[np.ndarray, float]:
        """The points in px, and the probability that there is a face."""
        size = picture.shape[0]
        centre, side, roll = np.array([size / 2, size / 2]), 1.17 * size, 0.0
        for _ in range(LOOKS):
            to_source = landmarks_crops.crop_matrix(centre, side, roll)
            crop = landmarks_crops.fast_sample(picture.astype(np.float32), to_source, cv2.BORDER_REPLICATE)
            points, _, face = self.session.run(None, {"crop": ((crop - 127.5) / 64)[None, None]})
            points = points.reshape(68, 2) * landmarks_crops.SIZE_PX @ to_source[:, :2].T + to_source[:, 2]
            centre, side = landmarks_crops.tracking_square(points)
            roll = landmarks_crops.eye_line_degrees(points)
        return points, float(face[0, 0])


def fit_faces(model: face_fit.HeadModel, images: np.ndarray, progress=None) -> tuple[face_fit.Fits, np.ndarray]:
    """The head behind each picture, and whether it can be trusted."""
    finder, found = PointFinder(), []
    for number, image in enumerate(images):
        found.append(finder.find(image))
        if progress:
            progress(number + 1, len(images))
    points, face = (np.array(column) for column in zip(*found))
    fits = face_fit.fit(model, points)
    return fits, (face > MIN_FACE) & (fits.error < MAX_ERROR)


def eyes_of(points: np.ndarray) -> np.ndarray:
    """Eye centres as fractions of a turned picture: left x, y, right x, y."""
    return np.concatenate([points[36:42].mean(axis=0), points[42:48].mean(axis=0)]) / face_turn.OUT_PX


def turn_faces(
    model: face_fit.HeadModel, images: np.ndarray, fits: face_fit.Fits, angles: np.ndarray, progress=None
) -> dict[str, np.ndarray]:
    """Each picture once, its head at `angles` (yaw, pitch) [n, 2]: `image` and `eyes` as the loader takes them."""
    rows = []
    for number, (image, angle) in enumerate(zip(images, angles)):
        turned, points = face_turn.turn(image, model, fits[number], *angle)
        rows.append((turned, eyes_of(points)))
        if progress:
            progress(number + 1, len(images))
    image, eyes = zip(*rows)
    return {"image": np.stack(image), "eyes": np.stack(eyes).astype(np.float32)}


def new_angles(pose: np.ndarray, turned_cfg: dict, rng: np.random.Generator) -> np.ndarray:
    """A new yaw and pitch for each pose [n, 3]; a head is never turned so far that the picture knows nothing of it."""
    yaw = rng.uniform(-turned_cfg["yaw_degrees"], turned_cfg["yaw_degrees"], len(pose))
    yaw = pose[:, 0] + np.clip(yaw - pose[:, 0], -FARTHEST_TURN_DEGREES, FARTHEST_TURN_DEGREES)
    pitch = pose[:, 1] + rng.uniform(-turned_cfg["pitch_degrees"], turned_cfg["pitch_degrees"], len(pose))
    return np.stack([yaw, pitch], axis=1)


def prepare(cfg: dict, odds_of, progress) -> None:
    """Turns `count` training faces, drawn by `odds_of(shares)`, so that rare expressions are turned more often."""
    faces = affect_data.load_part(cfg, "train")
    rng = np.random.default_rng(cfg["seed"])
    odds = odds_of(faces["shares"])
    chosen = rng.choice(len(odds), cfg["turned"]["count"], p=odds)
    unique, row = np.unique(chosen, return_inverse=True)
    model = face_fit.HeadModel()
    fits, trusted = fit_faces(model, faces["image"][unique], progress("fitting heads"))
    row = row[trusted[row]]
    angles = new_angles(face_turn.pose_of(fits)[row], cfg["turned"], rng)
    turned = turn_faces(model, faces["image"][unique[row]], fits[row], angles, progress("turning heads"))
    np.savez(cache_file(cfg), **turned, angles=angles.astype(np.float32), source=unique[row])
    print(f"{len(row)} turned faces of {len(unique)} people's pictures; {1 - trusted.mean():.1%} could not be fitted")


def load(cfg: dict, voted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The turned faces, with the targets of the faces they were made from."""
    with np.load(cache_file(cfg)) as stored:
        source = stored["source"]
        return {name: stored[name] for name in ("image", "eyes")} | {name: voted[name][source] for name in TARGETS}


def views_by_yaw(cfg: dict, faces: dict[str, np.ndarray], yaws: list[float], most_yaw: float, progress=None):
    """Faces that look ahead, within `most_yaw`, rendered at each yaw of `yaws` (left or right by turns).

    Returns which faces, and `{yaw: {"image", "eyes"}}`. Yaw 0 is rendered too, so that what differs is the yaw alone.
    """
    stored = CACHE / f"{cfg['data']['cache']}.valid_turned.npz"
    if not stored.exists():
        model = face_fit.HeadModel()
        fits, trusted = fit_faces(model, faces["image"])
        pose = face_turn.pose_of(fits)
        chosen = np.flatnonzero(trusted & (np.abs(pose[:, 0]) <= most_yaw))
        side = np.where(np.arange(len(chosen)) % 2 == 0, 1, -1)
        arrays = {"chosen": chosen}
        for yaw in yaws:
            angles = np.stack([yaw * side, pose[chosen, 1]], axis=1)
            turned = turn_faces(model, faces["image"][chosen], fits[chosen], angles, progress)
            arrays |= {f"{name}_{yaw:g}": value for name, value in turned.items()}
        np.savez(stored, **arrays)
    with np.load(stored) as found:
        by_yaw = {yaw: {name: found[f"{name}_{yaw:g}"] for name in ("image", "eyes")} for yaw in yaws}
        return found["chosen"], by_yaw


# Heads that are neither too dark nor too bright to see what turning does.
DRAWN_SEEDS = [0, 12, 20, 32, 33, 37, 39]
SHEET_ANGLES = [(-45, 0), (-30, 0), (-15, 0), (0, 0), (15, 0), (30, 0), (45, 0), (0, -20), (0, 20)]


def sheet(images: np.ndarray) -> np.ndarray:
    """One row a face: the picture as it is, then its head at each of SHEET_ANGLES."""
    model = face_fit.HeadModel()
    fits, _ = fit_faces(model, images)
    size = (2 * face_turn.OUT_PX, 2 * face_turn.OUT_PX)
    rows = []
    for number, image in enumerate(images):
        pictures = [image] + [face_turn.turn(image, model, fits[number], *angle)[0] for angle in SHEET_ANGLES]
        rows.append(np.hstack([cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in pictures]))
    return np.vstack(rows)


def write_sheet_of_people(cfg: dict) -> None:
    """For the eyes of who trains: training faces turned. It stays in the run's folder, since these are people."""
    faces = affect_data.load_part(cfg, "train")
    path = run_folder(cfg["name"]) / "turned.png"
    cv2.imwrite(str(path), sheet(faces["image"][:16]))
    print(f"wrote {path}")


def drawn_faces(size: int = 48) -> np.ndarray:
    """Heads drawn from the face model, cut as FER+ cuts faces: pictures of nobody."""
    pictures = []
    for seed in DRAWN_SEEDS:
        rng = np.random.default_rng([seed, 77])
        grey, cover, points, _ = landmarks_render.render(rng, float(rng.uniform(-12, 12)), float(rng.uniform(-8, 8)), 0.0)
        cover = cover.astype(np.float32) / 255
        behind = np.linspace(70, 150, grey.shape[0])[:, None]
        low, high = points.min(axis=0), points.max(axis=0)
        side = 1.15 * float((high - low).max())
        corner = (low + high) / 2 - side / 2
        to_source = np.array([[side / size, 0, corner[0]], [0, side / size, corner[1]]])
        picture = (grey * cover + behind * (1 - cover)).astype(np.float32)
        pictures.append(affect_data.warp(picture, to_source, size).round().astype(np.uint8))
    return np.stack(pictures)
