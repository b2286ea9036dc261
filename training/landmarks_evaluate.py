"""The landmark network's figures, on people, pictures and renders it never saw.

Pictures are cut by `align.sample_affine`, the reference for the program's own cutting.
"""

import cv2
import numpy as np

from . import align, shipping
from .common import CACHE, onnx_latency_ms
from .landmarks_crops import (
    SIZE_PX, Crops, crop_matrix, detector_square, eye_line_degrees, fast_sample, into_crop, tracking_square,
)
from .landmarks_labels import mean_error

GROUPS = {"jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48), "mouth": slice(48, 68)}
STILL_FRAMES = 12
# A face fills about this much of a 640x480 picture's height when a person sits at the camera.
STILL_FACE_PX = 200


def cut(picture: np.ndarray, to_source: np.ndarray, exact: bool = True) -> np.ndarray:
    if exact:
        return align.sample_affine(picture, to_source, SIZE_PX, SIZE_PX)
    return fast_sample(picture, to_source, cv2.BORDER_REPLICATE).astype(np.float32)


def marked_crops(crops: Crops, every: int = 1, exact: bool = True, way: str = "detector"):
    """Held-out people's marked faces, cut as the program would: (pictures, points in fractions)."""
    pictures, truth = [], []
    for index in crops.marked[::every]:
        points = crops.labels.points[index]
        centre, side = detector_square(crops.labels.box[index]) if way == "detector" else tracking_square(points)
        to_source = crop_matrix(centre, side, eye_line_degrees(points))
        pictures.append(cut(crops.pictures.grey(index), to_source, exact))
        truth.append(into_crop(points, to_source) / SIZE_PX)
    return np.stack(pictures)[:, None], np.stack(truth)


def run(net: shipping.OnnxNet, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(points [n, 68, 2], pose [n, 3], face probability [n]) of the shipped file, crop by crop, as the program looks."""
    from .landmarks import MEAN, STD

    outputs = [net(((picture[None] - MEAN) / STD).astype(np.float32)) for picture in pictures]
    points, pose, face = (np.concatenate(column) for column in zip(*outputs))
    return points.reshape(-1, 68, 2), pose, face[:, 0]


def measure(cfg: dict, net) -> dict[str, float]:
    from .landmarks_export import to_onnx

    onnx_bytes, _ = to_onnx(net, cfg)
    net = shipping.OnnxNet(onnx_bytes)
    crops, every = Crops(CACHE / cfg["cache"], held_out=True), cfg["evaluate_every"]
    figures: dict[str, float] = {}
    for way in ("detector", "tracking"):
        pictures, truth = marked_crops(crops, every, way=way)
        points, _, face = run(net, pictures)
        error = mean_error(points, truth)
        figures[f"nme_unseen_people_{way}_crop"] = float(error.mean())
        if way == "detector":
            figures["nme_unseen_people_median"] = float(np.median(error))
            figures["nme_unseen_people_90th_percentile"] = float(np.percentile(error, 90))
            eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)[:, None]
            each = np.linalg.norm(points - truth, axis=2) / eyes
            figures |= {f"nme_{name}": float(each[:, part].mean()) for name, part in GROUPS.items()}
            figures["unseen_faces"] = float(len(error))
    figures["nme_unseen_people"] = _as_used(crops, net, every)
    figures |= _renders(crops, net, every) | _teacher_pose(crops, net, every) | _faces(crops, net, every) | _jitter(crops, net, every)
    figures["onnx_ms_one_thread"] = onnx_latency_ms(onnx_bytes, {"crop": np.zeros((1, 1, SIZE_PX, SIZE_PX), np.float32)})
    return figures


def _as_used(crops: Crops, net, every: int) -> float:
    """As the program looks at a face that was detected: at the detector's square, then at the one tracking would take."""
    errors = []
    for index in crops.marked[::every]:
        picture, truth = crops.pictures.grey(index), crops.labels.points[index]
        square, turn = detector_square(crops.labels.box[index]), eye_line_degrees(truth)
        for _ in range(2):
            to_source = crop_matrix(*square, turn)
            points = run(net, cut(picture, to_source)[None, None])[0][0] * SIZE_PX @ to_source[:, :2].T + to_source[:, 2]
            square, turn = tracking_square(points), eye_line_degrees(points)
        errors.append(mean_error(points[None], truth[None])[0])
    return float(np.mean(errors))


def _renders(crops: Crops, net, every: int) -> dict[str, float]:
    rng = np.random.default_rng(1)
    pictures, pose_truth, truth = [], [], []
    for index in range(0, len(crops.renders["points"]), every):
        points = crops.renders["points"][index]
        alpha = crops.renders["alpha"][index] / 255.0
        picture = crops.renders["grey"][index] * alpha + crops.backgrounds.draw(rng, *alpha.shape) * (1 - alpha)
        roll = eye_line_degrees(points)
        to_source = crop_matrix(*detector_square(crops.render_box[index]), roll)
        pictures.append(cut(picture, to_source))
        truth.append(into_crop(points, to_source) / SIZE_PX)
        pose_truth.append(crops.renders["pose"][index] - [0, 0, roll])
    points, pose, _ = run(net, np.stack(pictures)[:, None])
    pose_truth, truth = np.stack(pose_truth), np.stack(truth)
    off = np.abs(pose - pose_truth)
    near = np.abs(pose_truth[:, 0]) < 45
    figures = {f"pose_{name}_mae_renders_degrees": float(off[:, k].mean()) for k, name in enumerate(("yaw", "pitch", "roll"))}
    figures |= {f"pose_{name}_mae_renders_within_45_degrees": float(off[near, k].mean()) for k, name in enumerate(("yaw", "pitch", "roll"))}
    inner = np.linalg.norm(points - truth, axis=2)[:, 17:].mean(1) / np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    figures["nme_inner_points_renders_within_45"] = float(inner[near].mean())
    return figures


def _teacher_pose(crops: Crops, net, every: int) -> dict[str, float]:
    pictures, truth = [], []
    for index in crops.meshed[::3 * every]:
        roll = eye_line_degrees(crops.labels.points[index])
        to_source = crop_matrix(*detector_square(crops.labels.box[index]), roll)
        pictures.append(cut(crops.pictures.grey(index), to_source))
        truth.append(crops.labels.pose[index] - [0, 0, roll])
    _, pose, _ = run(net, np.stack(pictures)[:, None])
    off = np.abs(pose - np.stack(truth)).mean(0)
    return {f"pose_{name}_mae_teacher_degrees": float(off[k]) for k, name in enumerate(("yaw", "pitch", "roll"))}


def _faces(crops: Crops, net, every: int) -> dict[str, float]:
    """Faces with the program's jitter against crops without a face, both held out."""
    rng = np.random.default_rng(2)
    rows = [crops.draw(rng) for _ in range(3000 // every)]
    _, _, face = run(net, np.stack([row[0] for row in rows])[:, None])
    truth = np.array([row[4] for row in rows]) > 0.5
    return {
        "face_accuracy_degraded": float(((face > 0.5) == truth).mean()),
        "face_recall_degraded": float((face[truth] > 0.5).mean()),
        "no_face_recall_degraded": float((face[~truth] <= 0.5).mean()),
    }


def _jitter(crops: Crops, net, every: int) -> dict[str, float]:
    """A face held still, seen again and again with sensor noise, sub-pixel shifts of the picture
    and the crop following the previous points: the standard deviation of a point, in px of a
    640x480 picture, after taking away the true shift."""
    rng = np.random.default_rng(4)
    deviations = []
    for index in crops.marked[::5 * every]:
        box = crops.labels.box[index]
        zoom = STILL_FACE_PX / float((box[2:] - box[:2]).max())
        grey = crops.pictures.grey(index).astype(np.float32)
        size = (int(grey.shape[1] * zoom), int(grey.shape[0] * zoom))
        points = crops.labels.points[index] * zoom
        seen = []
        for _ in range(STILL_FRAMES):
            shift = rng.uniform(-0.5, 0.5, 2)
            move = np.array([[zoom, 0, shift[0] + zoom / 2 - 0.5], [0, zoom, shift[1] + zoom / 2 - 0.5]])
            frame = cv2.warpAffine(grey, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            frame = np.clip(np.round(frame + rng.normal(0, 2, frame.shape)), 0, 255)
            to_source = crop_matrix(*tracking_square(points), eye_line_degrees(points))
            found, _, _ = run(net, cut(frame, to_source)[None, None])
            points = found[0] * SIZE_PX @ to_source[:, :2].T + to_source[:, 2]
            seen.append(points - shift)
        deviations.append(np.std(np.stack(seen[3:]), axis=0).mean())
    return {"jitter_still_face_px_640x480": float(np.mean(deviations))}
