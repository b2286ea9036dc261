"""The figures of the actions network: on FairFace's held-out adults against the teachers, and on unseen renders."""

import hashlib
import json

import numpy as np

from . import actions_clips, actions_data, actions_fit, actions_london, fairface
from .actions_data import ACTION_COLUMNS, CLOSURE_COLUMNS, GAZE_COLUMNS, POSE_COLUMNS
from .actions_fit import correlations
from .actions_net import SIZE_PX
from .actions_targets import ACTIONS, SHIPPED
from .common import area_under_curve, load_checkpoint, onnx_latency_ms, run_folder

SHUT, OPEN = 0.75, 0.25
# Fewer faces than this give no figure of their own.
MIN_GROUP = 30


def angle_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between directions given as yaw and pitch [n, 2]."""
    def direction(angles):
        yaw, pitch = np.radians(angles).T
        return np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)], axis=1)

    return np.degrees(np.arccos(np.clip((direction(one) * direction(other)).sum(axis=1), -1, 1)))


def evaluate(cfg: dict) -> dict:
    """Measures the file that `export` writes, and the same network in floats for comparison."""
    _, onnx_bytes, floats = actions_fit.shipped(cfg)
    read = lambda views: actions_fit.run_onnx(onnx_bytes, views)
    faces, drawn = actions_data.photographs("val"), actions_data.renders(held_out=True)
    seen_views, made_views = actions_data.plain_views(faces["image"]), actions_data.plain_views(drawn["image"], drawn["alpha"])
    report = on_photographs(read(seen_views), faces) | on_renders(read(made_views), drawn) | actions_clips.measure(read, cfg["clips"])
    report |= actions_london.measure(read)
    in_floats = on_photographs(actions_fit.run_onnx(floats, seen_views), faces) | on_renders(actions_fit.run_onnx(floats, made_views), drawn)
    report |= {f"in_floats_{name}": in_floats[name] for name in ("actions_mean_r_all", "closure_auc_renders", "gaze_error_renders_degrees")}
    example = {"face": np.zeros((1, 1, SIZE_PX, SIZE_PX), np.float32)}
    report |= {"onnx_ms_one_thread": onnx_latency_ms(onnx_bytes, example), "in_floats_onnx_ms_one_thread": onnx_latency_ms(floats, example)}
    asked, found = fairface.faces_asked("val")
    report |= {"onnx_mb": len(onnx_bytes) / 1e6, "faces_held_out": float(found), "faces_the_teacher_missed": float(asked - found)}
    checkpoint = load_checkpoint(run_folder(cfg["name"]) / "checkpoint.pt", restore_random=False)
    report |= {"steps": float(checkpoint["step"]), "sha256": hashlib.sha256(onnx_bytes).hexdigest()}
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def on_photographs(found: list[np.ndarray], faces: dict[str, np.ndarray]) -> dict[str, float]:
    actions, closure, gaze, pose = found
    targets = faces["targets"]
    told = targets[:, ACTION_COLUMNS][:, SHIPPED]
    r = correlations(actions, told)
    by_arkit = {ACTIONS[place].arkit: value for place, value in zip(SHIPPED, r)}
    report = {
        "actions_mean_r_all": float(np.nanmean(r)),
        "actions_mean_r_smile_jaw_brows": float(np.mean([by_arkit[name] for name in ("mouthSmile", "jawOpen", "browInnerUp", "browOuterUp", "browDown")])),
    }
    report |= {f"{ACTIONS[place].name}_{ACTIONS[place].arkit}_r": float(value) for place, value in zip(SHIPPED, r)}
    open_or_shut = faces["eyes_open"][..., 0]
    blink = targets[:, CLOSURE_COLUMNS]
    agreed = ((open_or_shut > 0.5) & (blink > 0.7)) | ((open_or_shut < 0.5) & (blink < 0.5))
    report["closure_auc_where_two_teachers_agree"] = area_under_curve(closure[agreed], open_or_shut[agreed] > 0.5)
    report["closure_auc_mediapipe_alone"] = area_under_curve(closure.ravel(), blink.ravel() > 0.7)
    known = ~np.isnan(targets[:, GAZE_COLUMNS]).any(axis=1)
    mean_gaze = lambda values: (values[:, :2] + values[:, 2:]) / 2
    gaze_r = correlations(mean_gaze(gaze[known]), mean_gaze(targets[known, GAZE_COLUMNS]))
    report |= {"gaze_yaw_r_teacher": float(gaze_r[0]), "gaze_pitch_r_teacher": float(gaze_r[1])}
    pose_r = correlations(pose, targets[:, POSE_COLUMNS])
    report |= {f"pose_{name}_r_teacher": float(value) for name, value in zip(("yaw", "pitch", "roll"), pose_r)}
    for column in ("race", "gender", "age"):
        for group in np.unique(faces[column]):
            chosen = faces[column] == group
            if chosen.sum() >= MIN_GROUP:
                report[f"actions_mean_r_{group}"] = float(np.nanmean(correlations(actions[chosen], told[chosen])))
    return report


def on_renders(found: list[np.ndarray], drawn: dict[str, np.ndarray]) -> dict[str, float]:
    actions, closure, gaze, pose = found
    truth, shut = drawn["targets"], drawn["closure"]
    clear = (shut > SHUT) | (shut < OPEN)
    open_eyes = shut < OPEN
    errors = np.concatenate([angle_between(gaze[:, 2 * eye : 2 * eye + 2], drawn["gaze"][:, 2 * eye : 2 * eye + 2])[open_eyes[:, eye]] for eye in range(2)])
    off = np.abs(pose - truth[:, POSE_COLUMNS])
    report = {
        "renders": float(len(shut)),
        "closure_auc_renders": area_under_curve(closure[clear], shut[clear] > SHUT),
        "gaze_error_renders_degrees": float(errors.mean()),
        "gaze_error_renders_median_degrees": float(np.median(errors)),
        "pose_error_renders_degrees": float(off.mean()),
    }
    report |= {f"pose_{name}_error_renders_degrees": float(off[:, k].mean()) for k, name in enumerate(("yaw", "pitch", "roll"))}
    r = correlations(actions, truth[:, ACTION_COLUMNS][:, SHIPPED])
    return report | {"actions_mean_r_renders": float(np.nanmean(r))} | {f"{ACTIONS[place].name}_r_renders": float(v) for place, v in zip(SHIPPED, r)}
