"""What `affectograph analyze` does, as a lab writes it in Python: OpenCV decodes, warps and compresses, ONNX Runtime runs
the same three networks, SQLite stores. Prints one JSON object. Called by benches/analyze.rs.

    python analyze.py FILM MODELS FOLDER
"""

import json
import pathlib
import sqlite3
import sys
import time

import cv2
import numpy as np
import onnxruntime

CROP_SIDES, TRACKING_SIDES = 1.3, 1.45
SCORE, FACE = 0.75, 0.5
MEAN, STD = 127.5, 64.0
LEFT_EYE, RIGHT_EYE = np.array([0.315, 0.385]), np.array([0.685, 0.385])


def normalised(grey):
    return ((grey.astype(np.float32) - MEAN) / STD)[None, None]


class Networks:
    def __init__(self, models):
        load = lambda name: onnxruntime.InferenceSession(str(models / name / "model.onnx"))
        self.detector, self.landmarks, self.affect = load("detector"), load("landmarks"), load("affect")

    def detect(self, grey):
        """Centre, side and roll of the likeliest face's crop, or None."""
        height, width = grey.shape
        scale = max(width / 320, height / 240)
        fitted = cv2.resize(grey, (round(width / scale), round(height / scale)), interpolation=cv2.INTER_AREA)
        picture = np.full((240, 320), MEAN, np.float32)
        picture[: fitted.shape[0], : fitted.shape[1]] = fitted
        score, box, points = self.detector.run(["score", "box", "points"], {"picture": normalised(picture)})
        row, column = np.unravel_index(score[0, 0].argmax(), score.shape[2:])
        if score[0, 0, row, column] < SCORE:
            return None
        x, y = (column + 0.5) * 8, (row + 0.5) * 8
        left, top, right, bottom = box[0, :, row, column]
        eyes = points[0, :4, row, column]
        centre = np.array([x + (right - left) / 2, y + (bottom - top) / 2]) * scale
        side = CROP_SIDES * max(left + right, top + bottom) * scale
        return centre, side, np.degrees(np.arctan2(eyes[3] - eyes[1], eyes[2] - eyes[0]))

    def locate(self, grey, crop):
        """68 points and pose, or None."""
        centre, side, roll = crop
        turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), float(roll), 112 / side)
        turn[:, 2] += 56 - centre
        face = cv2.warpAffine(grey, turn, (112, 112), flags=cv2.INTER_LINEAR)
        points, pose, probability = self.landmarks.run(["points", "pose", "face"], {"crop": normalised(face)})
        if probability[0, 0] < FACE:
            return None
        points = points.reshape(68, 2) * 112
        back = cv2.invertAffineTransform(turn)
        return points @ back[:, :2].T + back[:, 2], pose[0], face

    def read(self, grey, points):
        left, right = points[36:42].mean(0), points[42:48].mean(0)
        to = cv2.estimateAffinePartial2D(np.array([left, right]), np.array([LEFT_EYE, RIGHT_EYE]) * 48)[0]
        face = cv2.warpAffine(grey, to, (48, 48), flags=cv2.INTER_AREA)
        names = ["valence_arousal", "log_variance", "expression"]
        return self.affect.run(names, {"face": normalised(face)})


def next_crop(points):
    low, high = points.min(0), points.max(0)
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    return (low + high) / 2, TRACKING_SIDES * (high - low).max(), np.degrees(np.arctan2(*(right - left)[::-1]))


def main(film, models, folder):
    networks = Networks(pathlib.Path(models))
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
        if found is None or detected_ms is None or ms - detected_ms >= 1000:
            detected, detected_ms = networks.detect(grey), ms
            if found is None and detected is not None:
                found = networks.locate(grey, detected)
        crop = None
        if found is not None:
            points, _, face = found
            crop = next_crop(points)
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
