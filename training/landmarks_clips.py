"""Both networks together on recordings: when a face is there, and pictures to look at.

`python -m training.landmarks_clips` runs the shipped pair as the program does (detector, then
tracking by the points until the face is gone) and leaves `runs/clips/`: one line a clip and
sheets with box, points and pose drawn in. The sheets show people and stay there.
"""

import json

import cv2
import numpy as np

from . import align, model_card
from .common import MODELS, SHARED, run_folder
from .detector_find import find
from .landmarks import MEAN, STD
from .landmarks_crops import SIZE_PX, crop_matrix, detector_square, tracking_square
from .shipping import OnnxNet

MIN_FACE = model_card.read("landmarks")["face"]["min_probability"]
SHEET_FRAMES = 8
CLIPS = ("single_face.mp4", "face_noface.mov", "noface_face.mov", "no_face.mp4")


class Pair:
    """Detector and landmark network on a stream of grey pictures, one face."""

    def __init__(self):
        self.detector = OnnxNet((MODELS / "detector" / "model.onnx").read_bytes())
        self.landmarks = OnnxNet((MODELS / "landmarks" / "model.onnx").read_bytes())
        self.min_score = model_card.figure("detector", "score_threshold")
        self.points: np.ndarray | None = None
        self.roll = 0.0

    def look(self, grey: np.ndarray) -> dict | None:
        """Points, pose and face probability, or None when there is no face. Tracks, then detects."""
        if self.points is not None:
            seen = self._read(grey, *tracking_square(self.points), self.roll, "tracked")
            if seen:
                return seen
        faces = find(self.detector, grey, self.min_score)
        if len(faces):
            eyes = faces[0, 6:8] - faces[0, 4:6]
            roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
            seen = self._read(grey, *detector_square(faces[0, :4]), roll, "detected")
            if seen:
                return seen
        self.points = None
        return None

    def _read(self, grey, centre, side: float, turn: float, how: str) -> dict | None:
        to_source = crop_matrix(centre, side, turn)
        crop = (align.sample_affine(grey, to_source, SIZE_PX, SIZE_PX) - MEAN) / STD
        points, pose, face = self.landmarks(crop[None, None].astype(np.float32))
        if face[0, 0] < MIN_FACE:
            return None
        self.points = points.reshape(68, 2) * SIZE_PX @ to_source[:, :2].T + to_source[:, 2]
        pose = pose[0] + [0, 0, turn]
        self.roll = float(pose[2])
        return {"points": self.points, "pose": pose, "face": float(face[0, 0]), "how": how}


def draw(frame: np.ndarray, seen: dict | None, label: str) -> np.ndarray:
    frame = frame.copy()
    if seen:
        for x, y in seen["points"]:
            cv2.circle(frame, (int(x), int(y)), 2, (0, 255, 0), -1, cv2.LINE_AA)
        label += " %s %.2f  yaw %.0f pitch %.0f roll %.0f" % (seen["how"], seen["face"], *seen["pose"])
    cv2.putText(frame, label, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 255), 2, cv2.LINE_AA)
    return frame


def spans(flags: list[bool], rate_hz: float) -> list[str]:
    """Stretches with a face as seconds."""
    edges = np.flatnonzero(np.diff(np.array([False, *flags, False]).astype(int)))
    return [f"{a / rate_hz:.2f}-{b / rate_hz:.2f} s" for a, b in edges.reshape(-1, 2)]


def main() -> None:
    folder, report = run_folder("clips"), {}
    for name in CLIPS:
        video = cv2.VideoCapture(str(SHARED / "media" / name))
        rate_hz, pair, flags, drawn = video.get(cv2.CAP_PROP_FPS) or 30.0, Pair(), [], []
        while True:
            ok, frame = video.read()
            if not ok:
                break
            seen = pair.look(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32))
            flags.append(seen is not None)
            drawn.append(draw(frame, seen, f"{len(flags) / rate_hz:.2f} s"))
        chosen = [drawn[i] for i in np.linspace(0, len(drawn) - 1, SHEET_FRAMES).astype(int)]
        rows = [np.hstack(chosen[i:i + 2]) for i in range(0, SHEET_FRAMES, 2)]
        cv2.imwrite(str(folder / f"{name}.jpg"), np.vstack(rows))
        report[name] = {"frames": len(flags), "frames_with_face": int(sum(flags)), "face": spans(flags, rate_hz)}
        print(name, report[name])
    (folder / "clips.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
