"""Shaded heads from the ICT face model, with exact points and pose.

Photographs give us neither wide yaw nor exact head angles; renders give both, and make the
networks find drawn heads as well as photographed ones. A painter's rasteriser is enough: the
quads are small, sorted by depth and filled with one grey each, at twice the stored size.

POSE, the project's one convention. Right-handed camera frame: x right in the image, y down,
z away from the camera. The head's own frame is the same when it looks straight at the camera.
    R = Rz(roll) . Ry(-yaw) . Rx(pitch)
yaw > 0: the face turns towards image-right (the nose moves to +x).
pitch > 0: the nose moves down in the image (+y).
roll > 0: the head turns clockwise as seen in the image (its image-right side moves down).
Turning the picture about the viewing axis adds to roll and changes nothing else.
"""

from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from .common import SHARED

PICTURE_PX = 224
SUPERSAMPLING = 2
FACE_VERTICES = 9409
HEAD_VERTICES = 11248
EYES = slice(21451, 24591)
TEETH = slice(17039, 21451)
HEAD_CENTRE_CM = np.array([0.0, 0.0, 3.0])
# The model looks along +z with y up; the camera frame has y down and z away.
TO_CAMERA = np.array([1.0, -1.0, -1.0])

_model: dict | None = None


def rotation_from_degrees(yaw: float, pitch: float, roll: float) -> np.ndarray:
    y, p, r = np.radians([-yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def degrees_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """yaw, pitch, roll on the last axis; inverse of `rotation_from_degrees` for |yaw| < 90."""
    yaw = np.arcsin(np.clip(rotation[..., 2, 0], -1, 1))
    pitch = np.arctan2(rotation[..., 2, 1], rotation[..., 2, 2])
    roll = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], -1))


def prepare(folder: Path, count: int, seed: int = 7) -> None:
    if (folder / "renders.npz").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with Pool(2, initializer=_load_model) as pool:
        rows = list(pool.imap(_render_seeded, range(seed * 1_000_000, seed * 1_000_000 + count), chunksize=16))
    np.savez(
        folder / "renders.npz",
        grey=np.stack([row[0] for row in rows]),
        alpha=np.stack([row[1] for row in rows]),
        points=np.stack([row[2] for row in rows]).astype(np.float32),
        pose=np.stack([row[3] for row in rows]).astype(np.float32),
        held_out=np.arange(count) % 100 < 12,
    )


def load(folder: Path, held_out: bool) -> dict[str, np.ndarray]:
    """grey, alpha, points and pose of the training or the held-out renders."""
    with np.load(folder / "renders.npz") as stored:
        renders = {key: stored[key] for key in stored.files}
    chosen = renders.pop("held_out") == held_out
    return {key: value[chosen] for key, value in renders.items()}


def _load_model() -> None:
    """The model with what depends on the neutral head alone: which vertex is lip, brow, hair …"""
    global _model
    cv2.setNumThreads(1)
    with np.load(SHARED / "data" / "face_model.npz") as stored:
        model = {key: stored[key] for key in stored.files}
    neutral, marks = model["neutral"], model["neutral"][model["landmarks68"]]
    kept = np.zeros(len(neutral), bool)
    kept[:EYES.stop] = True
    quads = model["quads"]
    quads = quads[kept[np.where(quads < 0, 0, quads)].all(1)]
    model["quads"] = np.where(quads < 0, quads[:, [2]], quads)
    front = np.zeros(len(neutral), bool)
    front[:FACE_VERTICES] = True

    def inside(outline: np.ndarray) -> np.ndarray:
        contour = outline[:, :2].astype(np.float32).reshape(-1, 1, 2)
        near = [cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in neutral[:FACE_VERTICES, :2]]
        distance = np.full(len(neutral), -9.0)
        distance[:FACE_VERTICES] = near
        return distance

    def from_line(line: np.ndarray) -> np.ndarray:
        steps = np.concatenate([np.linspace(a, b, 8) for a, b in zip(line[:-1], line[1:])])
        distance = np.full(len(neutral), 9.0)
        distance[:FACE_VERTICES] = np.linalg.norm(neutral[:FACE_VERTICES, None] - steps[None], axis=2).min(1)
        return distance

    model["lip"] = (inside(marks[48:60]) > -0.1) & front
    model["brow_cm"] = np.minimum(from_line(marks[17:22]), from_line(marks[22:27]))
    lids = [marks[[36, 37, 38, 39, 40, 41, 36]], marks[[42, 43, 44, 45, 46, 47, 42]]]
    model["lid_cm"] = np.minimum(from_line(lids[0]), from_line(lids[1]))
    # Each name ends in _L or _R where the movement has a side: the pair moves together mostly.
    model["names"] = [str(name) for name in model["expression_names"]]
    eyes = neutral[EYES]
    model["eye_centres"] = [eyes[eyes[:, 0] * side > 0].mean(0) for side in (-1, 1)]
    _model = model


def _expression(rng: np.random.Generator) -> np.ndarray:
    names = _model["names"]
    weights = np.zeros(len(names))
    if rng.random() < 0.25:
        return weights
    for name in rng.choice([n for n in names if not n.startswith("Pupil")], rng.integers(1, 6), replace=False):
        strength = rng.uniform(0.2, 1.0)
        weights[names.index(name)] = strength
        if name[-2:] in ("_L", "_R") and rng.random() < 0.85:
            weights[names.index(name[:-1] + ("R" if name[-1] == "L" else "L"))] = strength * rng.uniform(0.8, 1)
    common = {"jawOpen": 0.3, "mouthSmile_L": 0.3, "eyeBlink_L": 0.12, "browInnerUp_L": 0.1}
    for name, chance in common.items():
        if rng.random() < chance:
            strength = rng.uniform(0.2, 1.0)
            for side in {name, name.replace("_L", "_R")}:
                weights[names.index(side)] = strength
    return weights


def _albedo(rng: np.random.Generator) -> np.ndarray:
    """Grey of every vertex before light: skin with blotches, then lips, brows, lids, hair, eyes."""
    neutral = _model["neutral"]
    skin = rng.uniform(0.25, 0.95)
    waves = rng.normal(0, 0.7, (6, 3)), rng.uniform(0, 6.3, 6)
    blotch = np.sin(neutral @ waves[0].T + waves[1]).sum(1) * rng.uniform(0, 0.03)
    tone = np.full(len(neutral), skin) * (1 + blotch)
    tone[_model["lip"]] *= rng.uniform(0.55, 0.95)
    hair = skin * rng.uniform(0.08, 1.0) if rng.random() < 0.85 else rng.uniform(0.6, 1.0)
    brow_width_cm, brow_strength = rng.uniform(0.25, 0.65), rng.uniform(0.3, 1.0)
    brow = np.clip((brow_width_cm - _model["brow_cm"]) / 0.2, 0, 1) * brow_strength
    tone += (min(hair, skin * 0.8) - tone) * brow
    tone *= 1 - np.clip((0.3 - _model["lid_cm"]) / 0.2, 0, 1) * rng.uniform(0, 0.7)
    x, y, z = neutral.T
    if rng.random() < 0.85:
        hairline_cm = rng.uniform(7.5, 10.5)
        is_hair = (y > hairline_cm - 0.02 * x**2) | ((z < rng.uniform(-3, 3)) & (y > rng.uniform(-8, 2)))
        is_hair[HEAD_VERTICES:] = False
        tone[is_hair] = hair * (1 + rng.normal(0, 0.15, int(is_hair.sum())))
    if rng.random() < 0.2:
        beard = (y < rng.uniform(-2.5, -1.2)) & (y > -9) & ~_model["lip"] & (np.arange(len(y)) < FACE_VERTICES)
        tone[beard] += (hair - tone[beard]) * rng.uniform(0.3, 0.9)
    tone[HEAD_VERTICES:TEETH.start] = skin * 0.25
    tone[TEETH] = rng.uniform(0.3, 0.95)
    gaze = np.array([rng.normal(0, 0.25), rng.normal(0, 0.12), 1.0])
    gaze /= np.linalg.norm(gaze)
    iris, iris_cos = rng.uniform(0.05, 0.5), np.cos(np.radians(rng.uniform(24, 32)))
    white = rng.uniform(0.7, 1.0)
    for centre in _model["eye_centres"]:
        rows = np.arange(EYES.start, EYES.stop)
        rows = rows[neutral[rows, 0] * centre[0] > 0]
        ray = neutral[rows] - centre
        cosine = ray @ gaze / np.linalg.norm(ray, axis=1)
        tone[rows] = np.where(cosine > np.cos(np.radians(12)), 0.03, np.where(cosine > iris_cos, iris, white))
    return tone


def _draw_behind(canvas: np.ndarray, alpha: np.ndarray, project, rng: np.random.Generator) -> None:
    """Long hair and shoulders: flat shapes that move with the head."""
    if rng.random() < 0.4:
        tone = float(rng.uniform(10, 160))
        centre = project(np.array([[0, rng.uniform(-4, 3), -4.0]]))[0]
        edge = project(np.array([[rng.uniform(9, 13), 0, -4.0], [0, rng.uniform(-20, -9), -4.0]]))
        size, tilt = np.abs(edge - centre).max(0) + 4, float(rng.uniform(-8, 8))
        for target, value in ((canvas, tone), (alpha, 255.0)):
            cv2.ellipse(target, (centre, size * 2, tilt), value, -1)
    if rng.random() < 0.7:
        tone = float(rng.uniform(10, 240))
        neck = project(np.array([[0, -13.0, -2.0]]))[0]
        unit = np.linalg.norm(project(np.array([[10.0, 0, 0]]))[0] - project(np.array([[0.0, 0, 0]]))[0]) / 10 + 2
        wide = rng.uniform(14, 22) * unit
        height = canvas.shape[0]
        shape = np.array([[neck[0] - 4 * unit, neck[1]], [neck[0] + 4 * unit, neck[1]], [neck[0] + wide, neck[1] + 6 * unit],
                          [neck[0] + wide * 1.15, height * 2], [neck[0] - wide * 1.15, height * 2], [neck[0] - wide, neck[1] + 6 * unit]])
        for target, value in ((canvas, tone), (alpha, 255.0)):
            cv2.fillPoly(target, [np.round(shape).astype(np.int32)], value)


def _draw_glasses(canvas: np.ndarray, project, rng: np.random.Generator) -> None:
    tone, thickness = float(rng.uniform(0, 200)), int(rng.integers(1, 6))
    radius = rng.uniform(2.0, 2.9), rng.uniform(1.5, 2.5)
    turn = np.linspace(0, 2 * np.pi, 25)
    rims = []
    for centre in _model["eye_centres"]:
        ring = np.stack([centre[0] * 1.02 + radius[0] * np.cos(turn), centre[1] - 0.2 + radius[1] * np.sin(turn), np.full(25, 11.4)], 1)
        ring[:, 2] -= 0.04 * ring[:, 0] ** 2
        rims.append(ring)
    bridge = np.stack([rims[0][0], rims[1][12]])
    for line in (*rims, bridge):
        cv2.polylines(canvas, [np.round(project(line) * 16).astype(np.int32)], False, tone, thickness, cv2.LINE_AA, 4)


def _render_seeded(seed: int):
    rng = np.random.default_rng(seed)
    wide = rng.random() < 0.5
    yaw = rng.uniform(-78, 78) if wide else rng.normal(0, 22)
    pitch, roll = np.clip(rng.normal(0, 13), -35, 35), rng.uniform(-20, 20)
    return render(rng, float(np.clip(yaw, -78, 78)), float(pitch), float(roll))


def render(rng: np.random.Generator, yaw: float, pitch: float, roll: float):
    """One random head: (grey u8, alpha u8, 68 points in px, pose in degrees)."""
    if _model is None:
        _load_model()
    vertices = _model["neutral"].astype(np.float64)
    identity = rng.normal(0, 0.9, len(_model["identity"]))
    vertices = vertices + np.tensordot(identity, _model["identity"].astype(np.float32), 1)
    weights = _expression(rng)
    for index in np.flatnonzero(weights):
        vertices += weights[index] * _model["expression"][index].astype(np.float32)

    size = PICTURE_PX * SUPERSAMPLING
    distance_cm = rng.uniform(35, 130)
    fill = rng.uniform(0.42, 0.58)
    focal_px = size * fill * distance_cm / 20
    shift = size * np.array([0.5 + rng.uniform(-0.05, 0.05), 0.47 + rng.uniform(-0.05, 0.05)])
    rotation = rotation_from_degrees(yaw, pitch, roll)

    def camera(points_cm: np.ndarray) -> np.ndarray:
        turned = ((points_cm - HEAD_CENTRE_CM) * TO_CAMERA) @ rotation.T
        return turned + np.array([0, 0, distance_cm])

    def project(points_cm: np.ndarray) -> np.ndarray:
        seen = camera(points_cm)
        return seen[:, :2] / seen[:, 2:] * focal_px + shift

    seen = camera(vertices)
    flat = seen[:, :2] / seen[:, 2:] * focal_px + shift
    quads = _model["quads"]
    corner = seen[quads]
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    ray = corner.mean(1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    # The model's winding is counter-clockwise from outside; the mirror of two axes keeps it so.
    facing = -(normal * ray).sum(1)
    shade = _light(rng, normal, ray)
    tone = _albedo(rng)[quads].mean(1) * shade
    gain = rng.uniform(110, 250)
    canvas, alpha = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    _draw_behind(canvas, alpha, project, rng)
    inner = (quads[:, 0] >= HEAD_VERTICES) & (quads[:, 0] < TEETH.start)
    order = np.flatnonzero((facing > 0) | inner)
    # Sockets lie just under the skin: a little push back keeps the painter's order right.
    depth = corner[:, :, 2].mean(1) + 0.3 * inner
    order = order[np.argsort(-depth[order])]
    polygons = np.round(flat[quads] * 16).astype(np.int32)
    values = np.clip(tone * gain, 0, 255)
    for index in order:
        cv2.fillConvexPoly(canvas, polygons[index], float(values[index]), cv2.LINE_8, 4)
        cv2.fillConvexPoly(alpha, polygons[index], 255.0, cv2.LINE_8, 4)
    if rng.random() < 0.2 and abs(yaw) < 50:
        _draw_glasses(canvas, project, rng)
    small = (PICTURE_PX, PICTURE_PX)
    grey = np.clip(cv2.resize(canvas, small, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)
    cover = np.clip(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)
    points = project(vertices[_model["landmarks68"]]) / SUPERSAMPLING
    return grey, cover, points, np.array([yaw, pitch, roll])


def _light(rng: np.random.Generator, normal: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Ambient, one or two lamps in front of the head, and a little gloss."""
    total = np.full(len(normal), rng.uniform(0.15, 0.6))
    for _ in range(rng.integers(1, 3)):
        lamp = np.array([rng.normal(0, 0.8), rng.normal(-0.5, 0.6), -rng.uniform(0.3, 1.2)])
        lamp /= np.linalg.norm(lamp)
        cosine = normal @ lamp
        total += rng.uniform(0.3, 0.9) * np.clip(cosine, 0, None)
        mirrored = 2 * cosine[:, None] * normal - lamp
        gloss = np.clip(-(mirrored * ray).sum(1), 0, None) ** rng.uniform(6, 30)
        total += rng.uniform(0, 0.35) * gloss * (cosine > 0)
    return total
