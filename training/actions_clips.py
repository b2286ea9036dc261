"""Blinks on drawn clips at 30 Hz: which are found, and how far their onsets are off.

Each clip is one identity kept from training, with a slowly moving head and gaze and an exact closure of each frame. An eye
that closes by more than half is a blink in the truth. The network's closure has a threshold of its own for each
clip, half way between how open the eyes mostly are and how closed they get: as a program may take it from a person.
"""

import os

import numpy as np

from . import actions_data, actions_render
from .common import CACHE

RATE_HZ, CLIP_S, CLIPS = 30, 5, 8
# Seconds to close, to stay closed, to open.
PHASES_S = ((0.06, 0.13), (0.0, 0.12), (0.1, 0.25))
MATCH_FRAMES = 3
MIN_DEPTH = 0.3


def closures(rng: np.random.Generator, frames: int) -> np.ndarray:
    """The closure of both eyes in each frame: one to five blinks, now and then a partial one."""
    closure, at = np.full(frames, rng.uniform(0.0, 0.08)), rng.uniform(0.4, 1.5)
    time_s = np.arange(frames) / RATE_HZ
    while at < frames / RATE_HZ - 0.8:
        close_s, shut_s, open_s = (rng.uniform(*phase) for phase in PHASES_S)
        depth = 1.0 if rng.random() < 0.85 else rng.uniform(0.65, 0.95)
        times = [at, at + close_s, at + close_s + shut_s, at + close_s + shut_s + open_s]
        closure = np.maximum(closure, np.interp(time_s, times, [0, depth, depth, 0]))
        at = times[-1] + rng.uniform(0.5, 2.0)
    return closure


def clip(number: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([77, number])
    frames = RATE_HZ * CLIP_S
    closure, phase = closures(rng, frames), rng.uniform(0, 6.3, 4)
    base = actions_render.draw_state(rng)
    rows = []
    for frame in range(frames):
        wave = np.sin(phase + frame / RATE_HZ * np.array([0.9, 1.3, 0.7, 1.1]))
        gaze = np.tile([12 * wave[0], 7 * wave[1]], 2)
        state = base | {"closure": np.full(2, closure[frame]), "gaze": gaze, "pose": np.array([10 * wave[2], 6 * wave[3], 0])}
        rows.append(actions_render.render(990_000_000 + number, state))
    return {"image": np.stack([row["image"] for row in rows]), "alpha": np.stack([row["alpha"] for row in rows]), "closure": closure}


def stored_clip(number: int) -> dict[str, np.ndarray]:
    path = CACHE / "actions_clips" / f"clip_{number:02}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with open(partial, "wb") as file:
            np.savez(file, **clip(number))
        os.replace(partial, path)
    return dict(np.load(path))


def onsets(closure: np.ndarray, threshold: float) -> np.ndarray:
    """Frames at which the closure rises above the threshold."""
    shut = closure > threshold
    return np.flatnonzero(shut[1:] & ~shut[:-1]) + 1


def personal_threshold(closure: np.ndarray) -> float:
    low, high = np.percentile(closure, 30), closure.max()
    return float(low + max((high - low) / 2, MIN_DEPTH / 2))


def matched(found: np.ndarray, wanted: np.ndarray) -> list[int]:
    """Frames between each wanted onset and the nearest one found, where both exist within MATCH_FRAMES; each is used once."""
    left, apart = list(found), []
    for onset in wanted:
        near = [other for other in left if abs(other - onset) <= MATCH_FRAMES]
        if near:
            best = min(near, key=lambda other: abs(other - onset))
            left.remove(best)
            apart.append(abs(int(best - onset)))
    return apart


def measure(read, clips: int = CLIPS) -> dict[str, float]:
    """`read` is the network: views in, its outputs out."""
    apart, found_count, wanted_count = [], 0, 0
    for number in range(clips):
        frames = stored_clip(number)
        views = actions_data.plain_views(frames["image"], frames["alpha"])
        closure = read(views)[1].mean(axis=1)
        found, wanted = onsets(closure, personal_threshold(closure)), onsets(frames["closure"], 0.5)
        apart += matched(found, wanted)
        found_count, wanted_count = found_count + len(found), wanted_count + len(wanted)
    return {
        "blinks_in_clips": float(wanted_count),
        "blink_f1": 2 * len(apart) / max(found_count + wanted_count, 1),
        "blink_onset_error_frames": float(np.mean(apart)) if apart else float("nan"),
    }
