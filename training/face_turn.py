"""A photographed face seen from another side: the fitted head gives the picture depth, and the picture is turned.

The picture becomes a sheet in space: on the head its depth is the fitted model's, around it the depth runs on
smoothly, so that hair and background bend along and no hole opens behind the head. The sheet is turned about the head's
centre and seen again; of what falls on one place the nearest is seen. What the camera never saw (the far side
of the nose, the border) is drawn out from beside it.
"""

import cv2
import numpy as np

from training.face_fit import Fits, HeadModel
from training.landmarks_render import degrees_from_rotation, rotation_from_degrees

# Picture px that the sheet goes on beyond the picture, repeating its edge; sheet points a picture px.
MARGIN_SHARE = 0.34
POINTS_PER_PX = 3
OUT_PX = 64


def pose_of(fits: Fits) -> np.ndarray:
    """yaw, pitch, roll [n, 3] in degrees, as `landmarks_render` defines them."""
    return degrees_from_rotation(fits.rotation)


def turn(
    picture: np.ndarray, model: HeadModel, fit: Fits, yaw: float, pitch: float
) -> tuple[np.ndarray, np.ndarray]:
    """The square grey `picture` with its head at `yaw` and `pitch`, roll as it was, and the 68 points there.

    The picture comes back OUT_PX wide, u8, framed so that the points' box lies where it lay; points are in its px.
    """
    size = picture.shape[0]
    head = model.head(fit.coefficients) @ fit.rotation.T
    roll = degrees_from_rotation(fit.rotation)[2]
    onward = rotation_from_degrees(yaw, pitch, roll) @ fit.rotation.T
    place = fit.scale * head[:, :2] + fit.shift
    margin = round(MARGIN_SHARE * size)
    depth = sheet_depth(place, head[:, 2], model.normals @ fit.rotation[2], size, margin)

    marks = head[model.marks]
    before, after = (fit.scale * points[:, :2] + fit.shift for points in (marks, marks @ onward.T))
    moved = (before.min(axis=0) + before.max(axis=0) - after.min(axis=0) - after.max(axis=0)) / 2

    fine = depth.shape[0] * POINTS_PER_PX
    depth = cv2.resize(depth, (fine, fine), interpolation=cv2.INTER_LINEAR)
    along = ((np.arange(fine) + 0.5) / POINTS_PER_PX - margin).astype(np.float32)
    x, y = np.meshgrid((along - fit.shift[0]) / fit.scale, (along - fit.shift[1]) / fit.scale)
    seen = np.stack([x, y, depth], axis=-1).reshape(-1, 3) @ onward.T.astype(np.float32)
    zoom = OUT_PX / size
    target = (fit.scale * seen[:, :2] + fit.shift + moved).astype(np.float32) * zoom
    source = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    look_up = nearest_seen(target, seen[:, 2], source, zoom)
    turned = cv2.remap(
        picture.astype(np.float32), look_up - 0.5, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.clip(np.round(turned), 0, 255).astype(np.uint8), (after + moved) * zoom


def sheet_depth(place: np.ndarray, depth: np.ndarray, facing: np.ndarray, size: int, margin: int) -> np.ndarray:
    """Depth in cm for each px of the picture and its margin: the head's front, and smoothly on around it."""
    count = size + 2 * margin
    column, row = np.floor(place.T + margin).astype(int)
    front = (facing < 0) & (column >= 0) & (column < count) & (row >= 0) & (row < count)
    cell = row[front] * count + column[front]
    nearest = np.full(count * count, np.inf, np.float32)
    np.minimum.at(nearest, cell, depth[front].astype(np.float32))
    nearest = nearest.reshape(count, count)
    known = np.isfinite(nearest)
    return cv2.GaussianBlur(spread(np.where(known, nearest, 0)[..., None], known)[..., 0], (0, 0), 0.7)


def nearest_seen(target: np.ndarray, depth: np.ndarray, source: np.ndarray, zoom: float) -> np.ndarray:
    """For each px of the output the place of the picture that is seen there [OUT_PX, OUT_PX, 2], float32."""
    column, row = np.floor(target.T).astype(int)
    inside = np.flatnonzero((column >= 0) & (column < OUT_PX) & (row >= 0) & (row < OUT_PX))
    low, high = depth[inside].min(), depth[inside].max()
    rank = ((high - depth[inside]) / (high - low + 1e-6) * 65535).astype(np.uint16)
    order = inside[np.argsort(rank, kind="stable")]
    # Written far to near, so that the nearest stays.
    winner = np.full(OUT_PX * OUT_PX, -1)
    winner[row[order] * OUT_PX + column[order]] = order
    known = winner >= 0
    look_up = np.zeros((OUT_PX * OUT_PX, 2), np.float32)
    # A point seldom falls on a px's centre; its neighbourhood moves along with it.
    centre = np.stack(np.divmod(np.flatnonzero(known), OUT_PX)[::-1], axis=1) + 0.5
    look_up[known] = source[winner[known]] + (centre - target[winner[known]]) / zoom
    return spread(look_up.reshape(OUT_PX, OUT_PX, 2), known.reshape(OUT_PX, OUT_PX))


def spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`values` [h, w, c] where known; elsewhere the mean of ever wider surroundings, the nearest that hold something."""
    weight = known.astype(np.float32)
    result, filled = values.astype(np.float32) * weight[..., None], known.copy()
    total = result.copy()
    reach = 1
    while not filled.all():
        window = (2 * reach + 1, 2 * reach + 1)
        near = cv2.boxFilter(weight, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
        sums = cv2.boxFilter(total, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
        fresh = ~filled & (near > 0.5)
        result[fresh] = sums.reshape(values.shape)[fresh] / near[fresh][:, None]
        filled |= fresh
        reach *= 2
        if reach > 4 * max(values.shape):
            raise ValueError("nothing is known anywhere")
    return result
