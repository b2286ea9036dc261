"""How a face is put into a network's input: the reference for the program's own pre-processing.

Coordinates: pixel (i, j) covers [i, i+1) × [j, j+1), so its centre is at i + 0.5. A transform is a
2×3 matrix that takes points of the output picture to points of the source picture. Samples are
bilinear, and outside the source its edge goes on for ever. Where the source is finer than the
output (scale = source pixels per output pixel > 1), each output pixel averages k × k samples
spread evenly over it, k = ceil(scale), at most 4.
"""

import math

import numpy as np

# The two eye contours of the 68-point scheme; image-left first, as the picture is seen.
LEFT_EYE_68 = slice(36, 42)
RIGHT_EYE_68 = slice(42, 48)
MAX_SUBSAMPLES = 4


def grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of an RGB picture as float32, 0..255."""
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def eye_centres(points68: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image-left and image-right eye centres of 68 points [68, 2]."""
    return points68[LEFT_EYE_68].mean(axis=0), points68[RIGHT_EYE_68].mean(axis=0)


def similarity_from_eyes(
    left_eye: np.ndarray,
    right_eye: np.ndarray,
    template_left: tuple[float, float],
    template_right: tuple[float, float],
    width: int,
    height: int,
) -> np.ndarray:
    """The 2×3 similarity from the output to the source that brings the eyes to their places.

    As complex numbers a similarity is z → a·z + b, and two point pairs determine a and b.
    """
    source_left, source_right = complex(*left_eye), complex(*right_eye)
    place_left = complex(template_left[0] * width, template_left[1] * height)
    place_right = complex(template_right[0] * width, template_right[1] * height)
    a = (source_right - source_left) / (place_right - place_left)
    b = source_left - a * place_left
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def whole_picture(source_width: int, source_height: int, width: int, height: int) -> np.ndarray:
    """The 2×3 transform that stretches a whole picture over the output, for faces already cropped."""
    return np.array([[source_width / width, 0.0, 0.0], [0.0, source_height / height, 0.0]])


def subsamples(scale: float) -> int:
    """Samples per axis and output pixel at `scale` source pixels per output pixel."""
    return min(max(math.ceil(scale - 1e-6), 1), MAX_SUBSAMPLES)


def sample_affine(picture: np.ndarray, to_source: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resamples `picture` [h, w] or [h, w, c] into float32 [height, width(, c)]."""
    picture = picture.astype(np.float32)
    scale_x = math.hypot(to_source[0, 0], to_source[1, 0])
    scale_y = math.hypot(to_source[0, 1], to_source[1, 1])
    count_x, count_y = subsamples(scale_x), subsamples(scale_y)
    total = 0.0
    for sub_y in range(count_y):
        for sub_x in range(count_x):
            x, y = np.meshgrid(
                np.arange(width) + (sub_x + 0.5) / count_x,
                np.arange(height) + (sub_y + 0.5) / count_y,
            )
            source_x = to_source[0, 0] * x + to_source[0, 1] * y + to_source[0, 2]
            source_y = to_source[1, 0] * x + to_source[1, 1] * y + to_source[1, 2]
            total = total + _bilinear(picture, source_x - 0.5, source_y - 0.5)
    return (total / (count_x * count_y)).astype(np.float32)


def _bilinear(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear look-up at positions counted from the first pixel's centre."""
    rows, columns = picture.shape[:2]
    x, y = np.clip(x, 0, columns - 1), np.clip(y, 0, rows - 1)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = np.minimum(x0 + 1, columns - 1), np.minimum(y0 + 1, rows - 1)
    weight_x, weight_y = x - x0, y - y0
    if picture.ndim == 3:
        weight_x, weight_y = weight_x[..., None], weight_y[..., None]
    top = picture[y0, x0] * (1 - weight_x) + picture[y0, x1] * weight_x
    bottom = picture[y1, x0] * (1 - weight_x) + picture[y1, x1] * weight_x
    return top * (1 - weight_y) + bottom * weight_y
