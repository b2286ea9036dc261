"""The detector's figures on people and backgrounds it never saw, relative to the teacher YuNet: alone, and as the program
uses it, which believes a detection only where the landmark network confirms it."""

from functools import partial

import cv2
import numpy as np

from . import landmarks_pictures
from .common import CACHE, SHARED, onnx_latency_ms
from .detector_confirm import Confirmer
from .detector_export import to_onnx
from .detector_find import find
from .detector_scenes import HEIGHT_PX, WIDTH_PX, Scenes, turned_box
from .detector_teacher import YuNet, overlap
from .landmarks_surroundings import degrade, side_light, texture
from .shipping import OnnxNet

SURE_TEACHER = 0.75
LOWEST_THRESHOLD = 0.4
FACELESS = 1000


def measure(cfg: dict, net) -> dict[str, float]:
    onnx_bytes = to_onnx(net)
    run = OnnxNet(onnx_bytes)
    folder, every = CACHE / cfg["cache"], cfg["evaluate_every"]
    confirmer = Confirmer()
    threshold = choose_threshold(run, confirmer, Scenes(folder), 1500 // every)
    figures: dict[str, float] = {"score_threshold": threshold}
    pictures, scenes = landmarks_pictures.load(folder), Scenes(folder, held_out=True)
    ways = {"": partial(find, run, min_score=threshold), "confirmed_": partial(confirmer.find, run, threshold=threshold)}
    for way, look in ways.items():
        found = _teacher_recall(look, pictures, every)
        for name, change in VARIANTS.items():
            found[f"recall_{name}"] = _variant_recall(look, scenes, change, every)
        false_faces = [len(look(picture)) for picture in faceless(scenes, 11, FACELESS // every)]
        found["false_faces_in_1000_faceless"] = sum(count > 0 for count in false_faces) * 1000 / len(false_faces)
        found["false_frames_no_face_mp4"], found["frames_no_face_mp4"] = _clip(look)
        # How many there were to find is the same for both ways.
        is_new = lambda name: not way or not name.startswith(("teacher_faces", "frames"))
        figures |= {way + name: value for name, value in found.items() if is_new(name)}
    figures["onnx_ms_one_thread"] = onnx_latency_ms(onnx_bytes, {"picture": np.zeros((1, 1, HEIGHT_PX, WIDTH_PX), np.float32)})
    figures["yunet_320x320_ms_one_thread"] = onnx_latency_ms(
        (SHARED / "teachers" / "yunet_n_dynamic.onnx").read_bytes(),
        {YuNet().session.get_inputs()[0].name: np.zeros((1, 3, 320, 320), np.float32)}, runs=300,
    )
    return figures


def faceless(scenes: Scenes, seed: int, count: int):
    """Pictures without a face, by the scene maker's word and the teacher's."""
    rng, teacher = np.random.default_rng(seed), YuNet(min_score=0.5)
    while count:
        picture = scenes.draw(rng, faceless=True)[0]
        if not len(teacher(np.repeat(picture[..., None], 3, 2).astype(np.uint8))):
            count -= 1
            yield picture


def choose_threshold(run, confirmer: Confirmer, scenes: Scenes, count: int) -> float:
    """The lowest at which the program sees no face in 499 of 500 faceless pictures of the training part."""
    best = [confirmer.find(run, picture, LOWEST_THRESHOLD)[:, 14].max(initial=0.0) for picture in faceless(scenes, 12, count)]
    return float(round(np.clip(np.ceil(np.quantile(best, 0.998) * 20) / 20, LOWEST_THRESHOLD, 0.9), 2))


def _teacher_recall(look, pictures: landmarks_pictures.Pictures, every: int) -> dict[str, float]:
    """Whole pictures of held-out people: of the faces the teacher is sure of, those found."""
    figures = {}
    for name, is_udacity in (("head_and_shoulders", True), ("close", False)):
        chosen = np.flatnonzero(pictures.table["held_out"] & (pictures.table["is_udacity"] == is_udacity))[::every]
        hits, total, point_errors = 0, 0, []
        for index in chosen:
            grey = pictures.grey(index)
            faces = pictures.faces(index)
            tall = (faces[:, 3] - faces[:, 1]) > 0.08 * max(grey.shape[0], grey.shape[1] * 0.75)
            found = look(grey)
            for face in faces[(faces[:, 14] >= SURE_TEACHER) & tall]:
                total += 1
                shared = overlap(face, found) if len(found) else np.zeros(1)
                if shared.max() >= 0.5:
                    hits += 1
                    nearest = found[np.argmax(shared)]
                    eyes = np.linalg.norm(face[4:6] - face[6:8])
                    if eyes > 4:
                        point_errors.append(np.linalg.norm((nearest[4:14] - face[4:14]).reshape(5, 2), axis=1).mean() / eyes)
        figures[f"recall_{name}"] = hits / total
        figures[f"teacher_faces_{name}"] = float(total)
        figures[f"points_over_eye_distance_{name}"] = float(np.mean(point_errors)) if point_errors else float("nan")
    return figures


def _roll45(rng, picture, box):
    return _place(rng, picture, box, 0.55, float(rng.choice([-45, 45])))


def _dark(rng, picture, box):
    picture, box = _place(rng, picture, box, 0.5, 0)
    picture = picture * rng.uniform(0.12, 0.25) + rng.normal(0, 3, picture.shape)
    return np.clip(np.round(picture), 0, 255), box


def _one_sided(rng, picture, box):
    picture, box = _place(rng, picture, box, 0.5, 0)
    return side_light(rng, picture), box


def _covered(rng, picture, box):
    """A textured patch over the lower third, or one side's third, of the face."""
    picture, box = _place(rng, picture, box, 0.5, 0)
    x0, y0, x1, y1 = box.astype(int)
    cover = [slice(y1 - (y1 - y0) // 3, y1), slice(x0, x1)] if rng.random() < 0.5 else [slice(y0, y1), slice(x0, x0 + (x1 - x0) // 3)]
    part = picture[max(cover[0].start, 0):cover[0].stop, max(cover[1].start, 0):cover[1].stop]
    if part.size:
        part[:] = texture(rng, *part.shape)
    return picture, box


def _degraded(rng, picture, box):
    picture, box = _place(rng, picture, box, 0.4, 0)
    return degrade(rng, picture), box


VARIANTS = {
    "upright": lambda rng, picture, box: _place(rng, picture, box, 0.5, 0),
    "roll_45": _roll45,
    "height_8_percent": lambda rng, picture, box: _place(rng, picture, box, 0.085, 0),
    "height_15_percent": lambda rng, picture, box: _place(rng, picture, box, 0.15, 0),
    "height_90_percent": lambda rng, picture, box: _place(rng, picture, box, 0.9, 0),
    "dark": _dark,
    "one_sided_light": _one_sided,
    "a_third_covered": _covered,
    "degraded": _degraded,
}


def _place(rng, picture, box, share: float, turn_degrees: float):
    """The picture scaled so that its face has this share of the height, turned, face in the middle."""
    zoom = share * HEIGHT_PX / (box[3] - box[1])
    turn = np.radians(turn_degrees)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * zoom
    matrix = np.concatenate([linear, (np.array([WIDTH_PX, HEIGHT_PX]) / 2 - linear @ ((box[:2] + box[2:]) / 2))[:, None]], 1)
    scene = np.full((HEIGHT_PX, WIDTH_PX), float(np.median(picture)), np.float32)
    Scenes._blend(scene, picture, np.ones(picture.shape, np.float32), matrix, zoom)
    return scene, turned_box(box, matrix)


def _variant_recall(look, scenes: Scenes, change, every: int) -> float:
    rng, hits, total = np.random.default_rng(21), 0, 0
    for index in np.concatenate([scenes.whole, scenes.close[::4]])[::every]:
        picture, box = change(rng, scenes.pictures.grey(index), scenes.labels.box[index])
        found = look(picture)
        total += 1
        hits += bool(len(found)) and overlap(box, found).max() >= 0.5
    return hits / total


def _clip(look) -> tuple[float, float]:
    video = cv2.VideoCapture(str(SHARED / "media" / "no_face.mp4"))
    false_frames = frames = 0
    while True:
        ok, frame = video.read()
        if not ok:
            return float(false_frames), float(frames)
        frames += 1
        false_frames += len(look(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32))) > 0
