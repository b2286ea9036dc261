"""From the best checkpoint to the bytes that ship, and the figures of those bytes.

Every figure is measured on the ONNX file as the program runs it, one face at a time, not on the
network in training.
"""

import hashlib
import json
import multiprocessing
import os
from functools import partial

import numpy as np
import torch

from training import affect_data, affect_fairface, affect_measure, affect_teachers, affect_turned, align, shipping
from training.affect_fit import new_net
from training.affect_net import ShippedAffectNet, answers_and_features, mirrored_mean
from training.common import SHARED, load_checkpoint, onnx_latency_ms, pick_device, run_folder

OUTPUTS = ["valence_arousal", "log_variance", "expression"]
RECORDING = "single_face.mp4"
# How many held-out faces, in either framing, say how large the numbers inside the network get.
RANGED_FACES = 400
# Fewer faces than these are asked about in one process.
FEW_FACES = 500
# Faces that look ahead within FRONTAL_DEGREES are rendered at each of YAWS.
YAWS, FRONTAL_DEGREES = [0.0, 15.0, 30.0, 45.0], 15.0


def shipped_net(cfg: dict) -> tuple[ShippedAffectNet, dict]:
    """The best average of the run, mixed with its start where `start_share` says so, calibrated on the held-out faces of both pools."""
    pick_device(cfg["threads"])
    folder, ship = run_folder(cfg["name"]), cfg.get("ship", {})
    weights = torch.load(folder / "best.pt", map_location="cpu")
    if share := ship.get("start_share", 0.0):
        start = torch.load(run_folder(cfg["train"]["start_from"]) / "best.pt", map_location="cpu")
        weights = {name: mixed_with(value, start[name], share) for name, value in weights.items()}
    net = new_net(cfg).eval()
    net.load_state_dict(weights)
    stored, made_from = folder / "calibration.json", digest(net)
    known = json.loads(stored.read_text()) if stored.exists() else {}
    if known.get("made_from") != made_from:
        answer = answers_and_features(net)
        answer = partial(mirrored_mean, answer) if ship.get("mirrored", False) else answer
        pools = affect_fairface.held_out(cfg).values()
        known = affect_measure.calibrate([(affect_measure.predict(answer, views, torch.device("cpu")), faces) for views, faces in pools])
        known["made_from"] = made_from
        stored.write_text(json.dumps(known, indent=1) + "\n")
    return ShippedAffectNet(net, known, ship.get("mirrored", False)), known


def mixed_with(value: torch.Tensor, start: torch.Tensor, share: float) -> torch.Tensor:
    """A weight with `share` of what it was (Wortsman et al., *Robust fine-tuning of zero-shot models*, CVPR 2022)."""
    return torch.lerp(value, start, share) if value.is_floating_point() else value


def digest(net: torch.nn.Module) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in net.state_dict().values())).hexdigest()


def to_onnx(net: ShippedAffectNet, cfg: dict) -> tuple[bytes, bytes]:
    """The file that ships, and the same network in floats; one and the same file unless it ships in 8 bits."""
    size_px = cfg["input"]["size_px"]
    floats = shipping.to_onnx(net, torch.zeros(1, 1, size_px, size_px), "face", OUTPUTS)
    if not cfg.get("ship", {}).get("quantised", False):
        return floats, floats
    holdout = affect_data.load_part(cfg, "holdout")
    some = np.linspace(0, len(holdout["eyes"]) - 1, RANGED_FACES).round().astype(int)
    faces = {name: values[some] for name, values in holdout.items()}
    views = [affect_data.eval_views(faces, cfg["input"], aligned) for aligned in (False, True)]
    return shipping.quantised(floats, "face", np.concatenate(views)), floats


def run_onnx(onnx_bytes: bytes, views: np.ndarray) -> list[np.ndarray]:
    """The shipped file's outputs, one face at a time on one thread, the faces shared out over the cores."""
    cores = os.cpu_count() or 1
    if len(views) < FEW_FACES or cores == 1:
        return _answers(onnx_bytes, views)
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        rows = pool.starmap(_answers, [(onnx_bytes, part) for part in np.array_split(views, cores)])
    return [np.concatenate(column) for column in zip(*rows)]


def _answers(onnx_bytes: bytes, views: np.ndarray) -> list[np.ndarray]:
    net = shipping.OnnxNet(onnx_bytes)
    rows = [net(view[None]) for view in views]
    return [np.concatenate(column) for column in zip(*rows)]


def score_recording(onnx_bytes: bytes, cfg: dict) -> np.ndarray:
    """Valence of each frame of the test recording that shows a face, aligned as the program does."""
    import cv2

    size = cfg["input"]["size_px"]
    capture = cv2.VideoCapture(str(SHARED / "media" / RECORDING))
    views = []
    with affect_data.EyeFinder() as finder:
        while (grabbed := capture.read())[0]:
            rgb = cv2.cvtColor(grabbed[1], cv2.COLOR_BGR2RGB)
            grey, eyes = align.grey(rgb), finder.find(rgb)
            if not np.isnan(eyes).any():
                to_source = affect_data.frame(grey, eyes, cfg["input"], aligned=True)
                views.append(align.sample_affine(grey, to_source, size, size))
    return run_onnx(onnx_bytes, affect_data.normalise(np.stack(views), cfg["input"]))[0][:, 0]


def evaluate(cfg: dict) -> dict:
    """Prints and stores the figures of the card; faces marked `is_valid` are used here only."""
    net, calibration = shipped_net(cfg)
    onnx_bytes, floats = to_onnx(net, cfg)
    valid = affect_data.load_part(cfg, "valid")
    views = affect_data.eval_views(valid, cfg["input"], aligned=False)
    outputs = run_onnx(onnx_bytes, views)
    aligned_views = affect_data.eval_views(valid, cfg["input"], aligned=True)
    valence = score_recording(onnx_bytes, cfg)
    tenth = max(len(valence) // 10, 1)
    report = {
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "faces": len(views),
        "faces_with_majority": int(valid["has_majority"].sum()),
        "steps": load_checkpoint(run_folder(cfg["name"]) / "checkpoint.pt", restore_random=False)["step"],
        "as_cropped": affect_measure.figures(outputs, valid),
        "aligned_by_eyes": affect_measure.figures(run_onnx(onnx_bytes, aligned_views), valid),
        "by_yaw": by_yaw(onnx_bytes, valid, cfg),
        "calibration": calibration,
        "confusion": confusion(outputs[2].argmax(axis=1), valid["most_voted"]),
        "recording_valence_start": float(valence[:tenth].mean()),
        "recording_valence_end": float(valence[-tenth:].mean()),
        "latency_ms": onnx_latency_ms(onnx_bytes, {"face": views[:1]}),
        "size_mb": len(onnx_bytes) / 1e6,
        "torch_onnx_difference": torch_difference(net, floats, views[:64]),
    }
    if "teacher" in cfg:
        earlier = affect_teachers.file_of(cfg["teacher"]).read_bytes()
        report["latency_ms_earlier"] = onnx_latency_ms(earlier, {"face": views[:1]})
        report |= on_held_out(onnx_bytes, earlier, cfg)
    if floats != onnx_bytes:
        in_floats = affect_measure.figures(run_onnx(floats, views), valid)
        report["in_floats"] = {name: in_floats[name] for name in ("accuracy_8_class", "ccc_valence", "ccc_arousal")}
        report["in_floats"]["latency_ms"] = onnx_latency_ms(floats, {"face": views[:1]})
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def on_held_out(onnx_bytes: bytes, earlier: bytes, cfg: dict) -> dict:
    """Figures on each pool's held-out faces, of this network and of the one before it; FairFace's by group."""
    result = {"held_out": {}, "held_out_earlier": {}}
    for pool, (views, faces) in affect_fairface.held_out(cfg).items():
        outputs = run_onnx(onnx_bytes, views)
        result["held_out"][pool] = affect_measure.figures(outputs, faces)
        result["held_out_earlier"][pool] = affect_measure.figures(run_onnx(earlier, views), faces)
        if pool == "fairface":
            result["fairface"] = affect_measure.by_group(outputs, faces, ["race", "gender", "age"])
    return result


def by_yaw(onnx_bytes: bytes, valid: dict[str, np.ndarray], cfg: dict) -> list[dict[str, float]]:
    """Figures of faces turned to each yaw by 3-D reconstruction, aligned by their eyes as the program does."""
    chosen, turned = affect_turned.views_by_yaw(cfg, valid, YAWS, FRONTAL_DEGREES)
    names = ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal")
    rows = []
    for yaw, faces in turned.items():
        labelled = {name: values[chosen] for name, values in valid.items()} | faces
        outputs = run_onnx(onnx_bytes, affect_data.eval_views(labelled, cfg["input"], aligned=True))
        found = affect_measure.figures(outputs, labelled)
        rows.append({"yaw": yaw, "faces": len(chosen)} | {name: found[name] for name in names})
    return rows


def confusion(winner: np.ndarray, most_voted: np.ndarray) -> list[list[int]]:
    """Counts, label with most votes by row and prediction by column."""
    count = len(affect_data.EXPRESSIONS)
    return np.bincount(most_voted * count + winner, minlength=count * count).reshape(count, count).tolist()


def torch_difference(net: ShippedAffectNet, onnx_bytes: bytes, views: np.ndarray) -> float:
    """The largest difference between PyTorch and the ONNX file over all outputs."""
    with torch.no_grad():
        expected = [output.numpy() for output in net(torch.from_numpy(views))]
    found = run_onnx(onnx_bytes, views)
    return float(max(np.abs(one - other).max() for one, other in zip(expected, found)))
