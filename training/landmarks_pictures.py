"""Every face picture once, as grey pixels with what labels and teachers say of it.

Both the detector and the landmark network learn from this cache. A person (a name in the
file names) is either for training or held out, in both collections alike, so that no figure
is measured on somebody a network has seen.
"""

import io
import re
import tarfile
import zlib
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from .common import SHARED
from .detector_teacher import YuNet
from .landmarks_teacher import FaceMesh

HELD_OUT_PERCENT = 12
MESH_POINTS = 478
# muxspace pictures are cut close to the face: teachers see more of it with a margin around.
MARGIN_PX = {"muxspace": 40, "udacity": 0}

_teachers: tuple | None = None


def is_held_out(person: str) -> bool:
    """By a hash of the name, so that the split never depends on order or on what else is there."""
    return zlib.crc32(person.lower().encode()) % 100 < HELD_OUT_PERCENT


def person_of(file_name: str) -> str:
    """The name before the picture's number; spelling differs between the collections."""
    return re.sub(r"[-_ ]+", "", re.sub(r"_?\d+\.jpg$", "", file_name)).lower()


@dataclass
class Pictures:
    """Arrays with one entry a picture, and the pixels of all of them end to end."""

    pixels: np.ndarray
    table: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.table["start"])

    def grey(self, index: int) -> np.ndarray:
        start, height, width = (int(self.table[key][index]) for key in ("start", "height", "width"))
        return self.pixels[start:start + height * width].reshape(height, width)

    def faces(self, index: int) -> np.ndarray:
        """The detector teacher's rows: x0 y0 x1 y1, five points, score."""
        start = int(self.table["face_start"][index])
        return self.table["face_rows"][start:start + int(self.table["face_count"][index])]


def load(folder: Path) -> Pictures:
    with np.load(folder / "pictures.npz") as stored:
        table = {key: stored[key] for key in stored.files}
    return Pictures(np.load(folder / "pictures.pixels.npy", mmap_mode="r"), table)


def prepare(folder: Path, limit: int | None = None) -> None:
    if (folder / "pictures.npz").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    jobs = _members("udacity_landmarks68.tar", "udacity", limit) + _members("muxspace.tar", "muxspace", limit)
    labels = _labels68()
    with Pool(2, initializer=_start_teachers) as pool:
        seen = [row for row in pool.imap(_look, jobs, chunksize=32) if row is not None]
    heights = np.array([row["grey"].shape[0] for row in seen])
    widths = np.array([row["grey"].shape[1] for row in seen])
    counts = np.array([len(row["faces"]) for row in seen])
    missing = np.full((68, 2), np.nan, np.float32)
    table = {
        "name": np.array([row["name"] for row in seen]),
        "is_udacity": np.array([row["source"] == "udacity" for row in seen]),
        "held_out": np.array([is_held_out(person_of(row["name"])) for row in seen]),
        "height": heights,
        "width": widths,
        "start": np.concatenate([[0], np.cumsum(heights * widths)[:-1]]),
        "face_count": counts,
        "face_start": np.concatenate([[0], np.cumsum(counts)[:-1]]),
        "face_rows": np.concatenate([row["faces"] for row in seen]),
        "mesh": np.stack([row["mesh"] for row in seen]),
        "rotation": np.stack([row["rotation"] for row in seen]),
        "labels68": np.stack([labels.get(row["name"], missing) if row["source"] == "udacity" else missing for row in seen]),
    }
    np.save(folder / "pictures.pixels.npy", np.concatenate([row["grey"].ravel() for row in seen]))
    np.savez(folder / "pictures.npz", **table)


def _members(archive: str, source: str, limit: int | None) -> list[tuple[str, str, bytes]]:
    """The pictures of an archive; a name that occurs twice is the same frame stored twice."""
    with tarfile.open(SHARED / "data" / archive) as tar:
        members = {m.name: m for m in tar.getmembers() if m.name.endswith(".jpg")}
        names = sorted(members)
        if limit:
            names = names[:: max(1, len(names) // limit)]
        return [(source, name, tar.extractfile(members[name]).read()) for name in names]


def _labels68() -> dict[str, np.ndarray]:
    with tarfile.open(SHARED / "data" / "udacity_landmarks68.tar") as tar:
        lines = tar.extractfile("landmarks.csv").read().decode().splitlines()[1:]
    rows = (line.split(",") for line in lines)
    return {row[0].strip('"'): np.array(row[1:], np.float32).reshape(68, 2) for row in rows}


def _start_teachers() -> None:
    global _teachers
    cv2.setNumThreads(1)
    _teachers = (YuNet(min_score=0.4), FaceMesh())


def _look(job: tuple[str, str, bytes]) -> dict | None:
    source, name, encoded = job
    picture = cv2.imdecode(np.frombuffer(io.BytesIO(encoded).getbuffer(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None or min(picture.shape[:2]) < 40:
        return None
    detector, mesh = _teachers
    margin = MARGIN_PX[source]
    framed = cv2.copyMakeBorder(picture, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    faces = detector(framed)
    faces[:, :14] -= margin
    found = mesh(framed)
    if found is None:
        found = np.full((MESH_POINTS, 2), np.nan, np.float32), np.full((3, 3), np.nan, np.float32)
    else:
        found = found[0] - margin, found[1]
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return {"source": source, "name": name, "grey": grey, "faces": faces, "mesh": found[0], "rotation": found[1]}
