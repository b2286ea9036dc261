"""What `affectograph analyze` does, as a lab writes it in Python: OpenCV decodes, warps and compresses, ONNX Runtime runs
the same three networks, SQLite stores. Prints one JSON object. Called by benches/analyze.rs.

    python analyze.py FILM MODELS FOLDER
"""

import json
import pathlib
import sqlite3
import sys
import time
import tomllib

import cv2
import numpy as np
import onnxruntime


class Card:
    """The constants of one network, from its `model.toml`."""

    def __init__(self, folder):
        card = tomllib.loads((folder / "model.toml").read_text())
        self.height, self.width = card["input"]["shape"][2:]
        [self.mean], [self.std] = card["input"]["mean"], card["input"]["std"]
        self.eyes = np.array([card["input"].get("left_eye", [0, 0]), card["input"].get("right_eye", [0, 0])])
        self.table = card
        self.figures = {figure["name"]: figure["value"] for figure in card["figure"]}

    def normalised(self, grey):
        return ((grey.astype(np.float32) - self.mean) / self.std)[None, None]


class Networks:
    def __init__(self, models):
        self.detector_card, self.landmarks_card, self.affect_card = (
            Card(models / name) for name in ("detector", "landmarks", "affect")
        )
        load = lambda name: onnxruntime.InferenceSession(str(models / name / "model.onnx"))
        self.detector, self.landmarks, self.affect = load("detector"), load("landmarks"), load("affect")

    def detect(self, grey):
        """Centre, side and roll of the likeliest face's crop, or None."""
        card = self.detector_card
        height, width = grey.shape
        scale = max(width / card.width, height / card.height)
        fitted = cv2.resize(grey, (round(width / scale), round(height / scale)), interpolation=cv2.INTER_AREA)
        picture = np.full((card.height, card.width), card.mean, np.float32)
        picture[: fitted.shape[0], : fitted.shape[1]] = fitted
        score, box, points = self.detector.run(["score", "box", "points"], {"picture": card.normalised(picture)})
        row, column = np.unravel_index(score[0, 0].argmax(), score.shape[2:])
        if score[0, 0, row, column] < card.figures["score_threshold"]:
            return None
        stride = card.width / score.shape[3]
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        left, top, right, bottom = box[0, :, row, column]
        eyes = points[0, :4, row, column]
        centre = np.array([x + (right - left) / 2, y + (bottom - top) / 2]) * scale
        side = self.landmarks_card.table["crop"]["detection_sides"] * max(left + right, top + bottom) * scale
        return centre, side, np.degrees(np.arctan2(eyes[3] - eyes[1], eyes[2] - eyes[0]))

    def locate(self, grey, crop):
        """68 points and pose, or None."""
        card, (centre, side, roll) = self.landmarks_card, crop
        size = card.width
        turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(roll), size / side)
        turn[:, 2] += size / 2 - centre
        face = cv2.warpAffine(grey, turn, (size, size), flags=cv2.INTER_LINEAR)
        points, pose, probability = self.landmarks.run(["points", "pose", "face"], {"crop": card.normalised(face)})
        if probability[0, 0] < card.table["face"]["min_probability"]:
            return None
        points = points.reshape(68, 2) * size
        back = cv2.invertAffineTransform(turn)
        return points @ back[:, :2].T + back[:, 2], pose[0], face

    def read(self, grey, points):
        left, right = points[36:42].mean(0), points[42:48].mean(0)
        card, size = self.affect_card, self.affect_card.width
        to = cv2.estimateAffinePartial2D(np.array([left, right]), card.eyes * size)[0]
        face = cv2.warpAffine(grey, to, (size, size), flags=cv2.INTER_AREA)
        names = ["valence_arousal", "log_variance", "expression"]
        return self.affect.run(names, {"face": card.normalised(face)})


def next_crop(points, tracking_sides):
    low, high = points.min(0), points.max(0)
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    return (low + high) / 2, tracking_sides * (high - low).max(), np.degrees(np.arctan2(*(right - left)[::-1]))


def main(film, models, folder):
    networks = Networks(pathlib.Path(models))
    tracking_sides = networks.landmarks_card.table["crop"]["tracking_sides"]
    recount_ms = networks.detector_card.table["tracking"]["recount_interval_ms"]
    started = time.perf_counter()
    capture = cv2.VideoCapture(film)
    store = sqlite3.connect(pathlib.Path(folder) / "scores.sqlite")
    store.execute("CREATE TABLE sample (frame INTEGER, ms REAL, affect BLOB, landmarks BLOB, brightness REAL, sharpness REAL)")
    video = open(pathlib.Path(folder) / "video.mjpeg", "wb")
    crop, detected_ms, valence, frames = None, None, [], 0
    while True:
        is_there, picture = capture.read()
        if not is_there:
            break
        ms = capture.get(cv2.CAP_PROP_POS_MSEC)
        video.write(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        found = networks.locate(grey, crop) if crop is not None else None
        if found is None or detected_ms is None or ms - detected_ms >= recount_ms:
            detected, detected_ms = networks.detect(grey), ms
            if found is None and detected is not None:
                found = networks.locate(grey, detected)
        crop = None
        if found is not None:
            points, _, face = found
            crop = next_crop(points, tracking_sides)
            affect, variance, expression = networks.read(grey, points)
            values = np.concatenate([affect[0], np.exp(variance[0] / 2), expression[0]]).astype("<f4")
            sharpness = cv2.Laplacian(face, cv2.CV_32F).var()
            row = (frames, ms, values.tobytes(), points.astype("<f4").tobytes(), face.mean() / 255, float(sharpness))
            store.execute("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)", row)
            valence.append(float(affect[0, 0]))
        frames += 1
    store.commit()
    video.close()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "frames": frames, "mean_valence": float(np.mean(valence))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
