"""Faces for the affect network: decoding once, splits, targets, and what each training view looks like.

Two framings must look alike to the network: a FER+ picture as it is, and a live face brought to
the template by its eyes. So the template is FER+'s mean eye position, and training shows both.
"""

import math
from pathlib import Path

import cv2
import numpy as np

from training import align
from training.common import CACHE, SHARED

# The order of FER+'s vote columns. A test compares it with the card.
EXPRESSIONS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
# Six points round each eye among mediapipe's 478, the same places as the 68-point scheme has.
LEFT_EYE_478 = [33, 160, 158, 133, 153, 144]
RIGHT_EYE_478 = [362, 385, 387, 263, 373, 380]
BLENDSHAPES = 52
# Valence and arousal per full share of each expression: a linear fit to ratings of other faces (see the card).
AXES = np.array([
    [0.046, 0.495, -0.024, -0.546, -0.51, -0.565, -0.691, -0.135],
    [-0.798, 0.059, 0.364, 0.112, 0.318, 0.263, 0.226, -0.505],
], np.float32)
# The channels' shares in a grey picture: BGR of the program, and their spread in training.
LUMA_BGR = np.array([0.114, 0.587, 0.299], np.float32)


def axes_of(shares: np.ndarray) -> np.ndarray:
    """Valence and arousal [n, 2] of shares [n, 8], as FER+'s are derived from its votes."""
    return (shares @ AXES.T).astype(np.float32)


class EyeFinder:
    """Eye centres by the teacher, for pictures that hold one face."""

    def __init__(self):
        from mediapipe.tasks.python import BaseOptions, vision

        model = str(SHARED / "teachers" / "face_landmarker.task")
        self.landmarker = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=model),
                min_face_detection_confidence=0.3,
                min_face_presence_confidence=0.3,
            )
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.landmarker.close()

    def find(self, rgb: np.ndarray) -> np.ndarray:
        """Left x, y, right x, y in fractions of width and height; NaN where no face is found."""
        import mediapipe

        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        faces = self.landmarker.detect(picture).face_landmarks
        if not faces:
            return np.full(4, np.nan, np.float32)
        points = np.array([[point.x, point.y] for point in faces[0]], np.float32)
        return np.concatenate([points[LEFT_EYE_478].mean(axis=0), points[RIGHT_EYE_478].mean(axis=0)])


def told_of_tight_crop(teachers, grey: np.ndarray) -> dict[str, np.ndarray]:
    """`eyes` in fractions, MediaPipe's `blendshapes` and OpenVINO's `emotions` of a face that fills its picture.

    MediaPipe wants some room around the face. Where it finds none, its words are NaN and OpenVINO gets the whole picture.
    """
    height, width = grey.shape
    margin = width // 4
    padded = cv2.copyMakeBorder(grey, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    padded = cv2.cvtColor(cv2.resize(padded, (288, 288), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    share = (width + 2 * margin) / width
    told = teachers.points_and_actions(padded)
    if told is None:
        corners = np.array([[margin, margin], [margin + width, margin + height]]) * 288 / (width + 2 * margin)
        eyes, blendshapes = np.full(4, np.nan, np.float32), np.full(BLENDSHAPES, np.nan, np.float32)
        return {"eyes": eyes, "blendshapes": blendshapes, "emotions": teachers.emotions_of(padded, corners)}
    points = told["points"][:, :2]
    eyes = np.concatenate([points[LEFT_EYE_478].mean(axis=0), points[RIGHT_EYE_478].mean(axis=0)]) / 288
    eyes = (eyes * share - margin / width).astype(np.float32)
    return {"eyes": eyes, "blendshapes": told["blendshapes"], "emotions": teachers.emotions_of(padded, points)}


def vote_shares(votes: np.ndarray) -> np.ndarray:
    """Shares over the eight expressions [n, 8]. 'unknown' and 'not a face' say nothing about which.

    A single vote against nine is noise more often than a mixed face, so it is dropped, as FER+'s
    authors do, unless single votes are all there is.
    """
    counts = votes[:, : len(EXPRESSIONS)].astype(np.float32)
    agreed = np.where(counts > 1, counts, 0)
    counts = np.where(agreed.sum(axis=1, keepdims=True) > 0, agreed, counts)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def has_majority(votes: np.ndarray) -> np.ndarray:
    """Whether one column of the ten got more than half of the votes [n], single ones not counted.

    FER+'s authors measure accuracy on these faces alone (`majority` in their `src/ferplus.py`, which their `train.py`
    tests with): of the others nobody can say which expression is right, at times not even which has most votes.
    """
    agreed = np.where(votes > 1, votes, 0).astype(int)
    return 2 * agreed.max(axis=1) > agreed.sum(axis=1)


def split_parts(is_valid: np.ndarray, holdout_share: float, seed: int) -> np.ndarray:
    """'train', 'holdout' (tuning, stopping, calibration) and 'valid' (final figures only) by face."""
    part = np.where(is_valid, "valid", "train").astype("U7")
    trainable = np.flatnonzero(~is_valid)
    chosen = np.random.default_rng(seed).permutation(trainable)[: round(holdout_share * len(trainable))]
    part[chosen] = "holdout"
    return part


def ferplus_cache(cfg: dict) -> Path:
    return CACHE / f"{cfg['data']['cache']}.npz"


def prepare_ferplus(cfg: dict, progress) -> None:
    """Decodes FER+, asks the teachers once, and stores everything under `training/cache/`."""
    from training.fairface_teachers import Teachers

    data = np.load(SHARED / "data" / "ferplus.npz")
    votes = data["votes"]
    is_expression = votes[:, : len(EXPRESSIONS)].max(axis=1) > votes[:, len(EXPRESSIONS) :].max(axis=1)
    kept = np.flatnonzero(is_expression)
    if "limit" in cfg["data"]:
        kept = np.random.default_rng(cfg["seed"]).permutation(kept)[: cfg["data"]["limit"]]
    image = data["image"][kept]
    found = []
    with Teachers() as teachers:
        for number, face in enumerate(image):
            found.append(told_of_tight_crop(teachers, face))
            progress(number + 1, len(image))
    CACHE.mkdir(parents=True, exist_ok=True)
    np.savez(
        ferplus_cache(cfg),
        image=image,
        **{name: np.stack([told[name] for told in found]) for name in found[0]},
        shares=vote_shares(votes[kept]),
        most_voted=votes[kept][:, : len(EXPRESSIONS)].argmax(axis=1),
        has_majority=has_majority(votes[kept]),
        valence_arousal=data["valence_arousal"][kept],
        part=split_parts(data["is_valid"][kept], cfg["data"]["holdout_share"], cfg["data"]["holdout_seed"]),
    )


def load_part(cfg: dict, part: str) -> dict[str, np.ndarray]:
    """The cached faces of one part."""
    data = np.load(ferplus_cache(cfg))
    chosen = data["part"] == part
    return {name: data[name][chosen] for name in data.files}


def eval_views(faces: dict[str, np.ndarray], input_cfg: dict, aligned: bool) -> np.ndarray:
    """The network's input for each face, exactly as the program makes it; as cropped, or by the eyes."""
    size = input_cfg["size_px"]
    views = [
        align.sample_affine(grey_of(picture), frame(picture, eyes, input_cfg, aligned), size, size)
        for picture, eyes in zip(faces["image"], faces["eyes"])
    ]
    return normalise(np.stack(views), input_cfg)


def grey_of(picture: np.ndarray, channels: np.ndarray = LUMA_BGR) -> np.ndarray:
    """A picture that is grey already, or the grey of a BGR one."""
    return picture if picture.ndim == 2 else cv2.transform(picture, channels.reshape(1, 3))


def normalise(pictures: np.ndarray, input_cfg: dict) -> np.ndarray:
    """Grey 0..255 [n, h, w] to the network's input [n, 1, h, w]."""
    return ((pictures.astype(np.float32) - input_cfg["mean"]) / input_cfg["std"])[:, None]


class Augmenter:
    """Random views of faces, as the network may meet them in front of a camera or in a crop."""

    def __init__(self, cfg: dict, rng: np.random.Generator, places: np.ndarray | None = None):
        """`places` are eyes of FER+ pictures, in fractions: where colour pictures may have theirs."""
        self.cfg, self.places = cfg, places
        self.size = cfg["input"]["size_px"]
        self.rng = rng

    def batch(self, faces: dict[str, np.ndarray], chosen: np.ndarray) -> np.ndarray:
        """Grey float32 [n, size, size], 0..255."""
        views = np.stack([self.view(faces["image"][i], faces["eyes"][i]) for i in chosen])
        return self.light_and_noise(views)

    def view(self, picture: np.ndarray, eyes: np.ndarray) -> np.ndarray:
        """One face, framed as FER+ or by its eyes, jittered in place, size, roll and mirrored."""
        augment, rng = self.cfg["augment"], self.rng
        aligned, is_colour = rng.random() < augment["aligned_share"], picture.ndim == 3
        if is_colour:
            picture = grey_of(picture, self.channels())
        to_source = self.framed_as_another(picture, eyes) if is_colour and not aligned else frame(picture, eyes, self.cfg["input"], aligned)
        view = warp(picture, to_source @ self.jitter(), self.size)
        if rng.random() < augment["resolution_share"] * (1 + is_colour):
            low = int(rng.integers(self.size // 2, self.size))
            view = cv2.resize(cv2.resize(view, (low, low), interpolation=cv2.INTER_AREA), (self.size, self.size))
        elif rng.random() < augment["sharpen_share"]:
            view = view + rng.uniform(0.2, 1.0) * (view - cv2.GaussianBlur(view, (0, 0), 1.0))
        return view

    def channels(self) -> np.ndarray:
        """The channels' shares of a camera or a light of another colour: half of the time the usual ones."""
        if self.rng.random() < 0.5:
            return LUMA_BGR
        return self.rng.dirichlet(1 + 6 * LUMA_BGR).astype(np.float32)

    def framed_as_another(self, picture: np.ndarray, eyes: np.ndarray) -> np.ndarray:
        """A face whose picture shows more around it, framed as a FER+ picture of another face is: with its eyes there."""
        places = self.places[self.rng.integers(len(self.places))]
        return frame(picture, eyes, self.cfg["input"] | {"left_eye": places[:2], "right_eye": places[2:]}, aligned=True)

    def jitter(self) -> np.ndarray:
        """3×3: a random similarity about the middle of the output, mirrored half of the time."""
        augment, rng = self.cfg["augment"], self.rng
        angle = math.radians(rng.normal(0, augment["roll_sd_deg"]))
        scale = math.exp(rng.normal(0, augment["scale_log_sd"]))
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        mirror = -1.0 if rng.random() < 0.5 else 1.0
        turn = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
        middle = np.array([self.size / 2, self.size / 2])
        shift = rng.normal(0, augment["shift_sd"] * self.size, 2)
        moved = middle + shift - turn @ middle
        return np.array([[*turn[0], moved[0]], [*turn[1], moved[1]], [0, 0, 1]])

    def light_and_noise(self, views: np.ndarray) -> np.ndarray:
        """Gamma, contrast, brightness, light from one side, sensor noise, a covered patch."""
        rng, count, augment = self.rng, len(views), self.cfg["augment"]
        column = (count, 1, 1)
        gamma = np.exp(rng.normal(0, augment["gamma_log_sd"], column))
        views = 255 * (np.clip(views, 0, 255) / 255) ** gamma
        mean = views.mean(axis=(1, 2), keepdims=True)
        contrast = np.exp(rng.normal(0, augment["contrast_log_sd"], column))
        views = mean + (views - mean) * contrast + rng.normal(0, augment["brightness_sd"], column)
        ramp = np.linspace(-1, 1, self.size)
        angle = rng.uniform(0, 2 * np.pi, column)
        slope = np.cos(angle) * ramp[None, None, :] + np.sin(angle) * ramp[None, :, None]
        strength = augment["side_light"] * rng.random(column) * (rng.random(column) < 0.3)
        views = views * (1 + strength * slope)
        noise_sd = rng.exponential(augment["noise_sd"], column) * (rng.random(column) < 0.5)
        views = views + noise_sd * rng.standard_normal(views.shape, np.float32)
        for number in np.flatnonzero(rng.random(count) < augment["erase_share"]):
            height, width = rng.integers(self.size // 8, self.size // 3, 2)
            top, left = rng.integers(0, self.size - height), rng.integers(0, self.size - width)
            views[number, top : top + height, left : left + width] = rng.uniform(0, 255)
        return np.clip(views, 0, 255).astype(np.float32)


def frame(picture: np.ndarray, eyes: np.ndarray, input_cfg: dict, aligned: bool) -> np.ndarray:
    """The 2×3 transform from the input to a picture: by its eyes if asked and known, else as it is."""
    size = input_cfg["size_px"]
    height, width = picture.shape[:2]
    if not aligned or np.isnan(eyes).any():
        return align.whole_picture(width, height, size, size)
    places = eyes * [width, height, width, height]
    return align.similarity_from_eyes(
        places[:2], places[2:], input_cfg["left_eye"], input_cfg["right_eye"], size, size
    )


def warp(picture: np.ndarray, to_source: np.ndarray, size: int) -> np.ndarray:
    """`align.sample_affine` for training, by OpenCV: the same picture but for rounding, much faster."""
    count = align.subsamples(math.sqrt(abs(np.linalg.det(to_source[:, :2]))))
    finer = to_source.copy()
    finer[:, :2] /= count
    finer[:, 2] += finer[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(
        picture.astype(np.float32), finer, (size * count, size * count), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return view if count == 1 else cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA)
