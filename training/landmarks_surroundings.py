"""What lies around a face, and what light and cameras do to a picture.

Shared by the detector's scenes and the landmark network's crops, so that both learn under
the same conditions. All pictures are grey float32, 0..255.
"""

import cv2
import numpy as np

from .landmarks_pictures import Pictures


def noise_field(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth to rough: octaves of noise, about -1..1."""
    field = np.zeros((height, width), np.float32)
    cells, strength = int(rng.integers(2, 6)), 1.0
    decay = rng.uniform(0.35, 0.8)
    for _ in range(int(rng.integers(1, 6))):
        grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        field += strength * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        cells, strength = min(cells * 2, 256), strength * decay
    return field / (np.abs(field).max() + 1e-6)


def texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A made-up surface: plain, gradient, waves, noise, or noise with shapes on it."""
    level, contrast = rng.uniform(0, 255), rng.uniform(5, 110)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = rng.integers(5)
    if kind == 0:
        picture = np.full((height, width), level, np.float32)
    elif kind == 1:
        angle = rng.uniform(0, 6.3)
        picture = level + contrast * ((x * np.cos(angle) + y * np.sin(angle)) / max(height, width))
    elif kind == 2:
        kx, ky, bend = rng.normal(0, 0.25, 3)
        picture = level + contrast * np.sin(x * kx + y * ky + 4 * bend * np.sin(x * ky * 0.3 + y * kx * 0.3))
    else:
        picture = level + contrast * noise_field(rng, height, width)
    picture = np.ascontiguousarray(picture, np.float32)
    if kind == 4 or rng.random() < 0.3:
        draw_shapes(rng, picture, int(rng.integers(2, 14)))
    return np.clip(picture, 0, 255)


def draw_shapes(rng: np.random.Generator, picture: np.ndarray, count: int) -> None:
    """Rectangles, ovals, bars, dots in pairs and leaf-like polygons: parts of rooms, plants, screens."""
    height, width = picture.shape
    for _ in range(count):
        tone, thickness = float(rng.uniform(0, 255)), int(rng.choice([-1, -1, 1, 2, 5]))
        centre = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        size = np.maximum(2, rng.uniform(0.02, 0.5, 2) * min(height, width)).astype(int)
        kind = rng.integers(7)
        if kind >= 5:
            draw_word(rng, picture, centre)
        elif kind == 0:
            cv2.rectangle(picture, centre, (centre[0] + int(size[0]), centre[1] + int(size[1])), tone, thickness)
        elif kind == 1:
            cv2.ellipse(picture, (centre, (float(size[0]), float(size[1])), float(rng.uniform(0, 180))), tone, thickness)
        elif kind == 2:
            end = int(rng.uniform(0, width)), int(rng.uniform(0, height))
            cv2.line(picture, centre, end, tone, int(rng.integers(1, 9)), cv2.LINE_AA)
        elif kind == 3:
            for side in (-1, 1):
                cv2.circle(picture, (centre[0] + side * int(size[0]) // 2, centre[1]), max(1, int(size[1]) // 6), tone, -1)
        else:
            turn = np.sort(rng.uniform(0, 6.3, int(rng.integers(3, 9))))
            radius = size[0] * rng.uniform(0.3, 1.0, len(turn))
            outline = np.stack([centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)], 1)
            cv2.fillPoly(picture, [outline.astype(np.int32)], tone, cv2.LINE_AA)


def draw_word(rng: np.random.Generator, picture: np.ndarray, place: tuple[int, int]) -> None:
    """A word, plain or with an outline: round letters with holes are what small faces are mistaken for."""
    letters = "abcdeghmnopqsuABCDGOPQRS0123568968&@%"
    word = "".join(letters[int(k)] for k in rng.integers(0, len(letters), int(rng.integers(1, 9))))
    font, size = int(rng.integers(0, 8)), float(np.exp(rng.uniform(np.log(0.4), np.log(4.0))))
    thickness, tone = max(1, int(size * rng.uniform(1, 6))), float(rng.uniform(0, 255))
    start = place[0] - int(rng.uniform(0, 60)), place[1]
    layers = [(tone, thickness)]
    if rng.random() < 0.5:
        layers.insert(0, (float(rng.uniform(0, 255)), thickness + max(2, int(4 * size))))
    for layer_tone, layer_thickness in layers:
        cover = np.zeros(picture.shape, np.uint8)
        cv2.putText(cover, word, start, font, size, 255, layer_thickness, cv2.LINE_AA)
        picture += (layer_tone - picture) * (cover / np.float32(255))


class Backgrounds:
    """Faceless surfaces: textures, and strips of photographs beside the faces in them."""

    def __init__(self, pictures: Pictures, held_out: bool):
        self.pictures = pictures
        table = pictures.table
        self.indices = np.flatnonzero(table["is_udacity"] & (table["held_out"] == held_out))

    def strip(self, rng: np.random.Generator) -> np.ndarray | None:
        index = int(rng.choice(self.indices))
        grey, faces = self.pictures.grey(index), self.pictures.faces(index)
        height, width = grey.shape
        if not len(faces):
            return None
        grow = 0.15 * (faces[:, 2:4] - faces[:, :2]).max()
        x0, y0 = (faces[:, :2].min(0) - grow).astype(int)
        x1, y1 = (faces[:, 2:4].max(0) + grow).astype(int)
        strips = [grey[:, :max(x0, 0)], grey[:, max(x1, 0):], grey[:max(y0, 0)], grey[max(y1, 0):]]
        strips = [part for part in strips if min(part.shape) >= 28]
        return strips[int(rng.integers(len(strips)))] if strips else None

    def draw(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        if rng.random() < 0.35:
            return texture(rng, height, width)
        if rng.random() < 0.25:
            return self._patchwork(rng, height, width)
        part = self.strip(rng)
        if part is None:
            return texture(rng, height, width)
        return self._cut(rng, part, height, width)

    def _patchwork(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """Several strips side by side: more edges and detail than one strip has."""
        picture = texture(rng, height, width)
        for _ in range(int(rng.integers(2, 7))):
            part = self.strip(rng)
            if part is None:
                continue
            h, w = int(rng.uniform(0.2, 0.8) * height), int(rng.uniform(0.2, 0.8) * width)
            y, x = int(rng.uniform(-0.2, 0.8) * height), int(rng.uniform(-0.2, 0.8) * width)
            piece = self._cut(rng, part, h, w)
            top, left = max(y, 0), max(x, 0)
            view = picture[top:y + h, left:x + w]
            view[:] = piece[top - y:top - y + view.shape[0], left - x:left - x + view.shape[1]]
        return picture

    @staticmethod
    def _cut(rng: np.random.Generator, part: np.ndarray, height: int, width: int) -> np.ndarray:
        """A random window of the output's shape, as large as fits, mirrored at random."""
        share = rng.uniform(0.5, 1.0)
        h = int(min(part.shape[0], part.shape[1] * height / width) * share)
        w = int(h * width / height)
        h, w = max(h, 4), min(max(w, 4), part.shape[1])
        y, x = int(rng.integers(part.shape[0] - h + 1)), int(rng.integers(part.shape[1] - w + 1))
        window = part[y:y + h, x:x + w].astype(np.float32)
        if rng.random() < 0.5:
            window = window[:, ::-1]
        method = cv2.INTER_AREA if h > height else cv2.INTER_LINEAR
        return cv2.resize(window, (width, height), interpolation=method)


def side_light(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A lamp from one side: a smooth step of brightness across the picture."""
    height, width = picture.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, middle = rng.uniform(0, 6.3), rng.uniform(0.25, 0.75, 2)
    along = ((x / width - middle[0]) * np.cos(angle) + (y / height - middle[1]) * np.sin(angle)) * rng.uniform(1.5, 8)
    dark = rng.uniform(0.1, 0.7)
    return picture * (dark + (1 - dark) / (1 + np.exp(-along)))


def degrade(rng: np.random.Generator, picture: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Light, lens, sensor and codec, each now and then."""

    def chance(share: float) -> bool:
        return rng.random() < share * strength

    height, width = picture.shape
    if chance(0.3):
        picture = side_light(rng, picture)
    if chance(0.5):
        picture = 255 * np.clip(picture / 255, 0, 1) ** np.exp(rng.normal(0, 0.4))
    if chance(0.6):
        middle = picture.mean()
        picture = (picture - middle) * rng.uniform(0.45, 1.35) + middle + rng.uniform(-45, 45)
    if chance(0.2):
        picture = picture * rng.uniform(0.12, 0.6)
    if chance(0.25):
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6))
    if chance(0.1):
        length = int(rng.integers(2, 7))
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, int(rng.integers(length))), (length - 1, int(rng.integers(length))), 1.0)
        kernel = kernel if rng.random() < 0.5 else kernel.T
        picture = cv2.filter2D(picture, -1, np.ascontiguousarray(kernel / kernel.sum()))
    if chance(0.15):
        factor = rng.uniform(0.35, 0.8)
        small = cv2.resize(picture, (int(width * factor), int(height * factor)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if chance(0.1):
        picture = picture + rng.uniform(0.3, 1.0) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    if chance(0.5):
        picture = picture + rng.normal(0, 1, picture.shape).astype(np.float32) * rng.uniform(0.5, 9)
    picture = np.clip(picture, 0, 255)
    if chance(0.25):
        encoded = cv2.imencode(".jpg", picture.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])[1]
        picture = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    return picture.astype(np.float32)
