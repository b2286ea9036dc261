"""FairFace: adults' faces balanced over seven groups, with what the teachers report about each.

The source is a folder or a git directory that contains `fairface_label_{train,val}.csv` and `fair_face/{train,val}`.
`prepare` labels the faces in parts of PART_FACES. Each part is one file, so a stopped run continues at the first part
that is missing. The order is balanced by group and sex: the first parts alone are a balanced sample.
"""

import csv
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from . import affect_data, align
from .common import CACHE
from .landmarks_render import degrees_from_rotation

# A spreadsheet turned the bands 3-9 and 10-19 into dates.
SPOILED_BANDS = {"03-Sep": "3-9", "Oct-19": "10-19"}
MINORS = {"0-2", "3-9", "10-19"}
PART_FACES = 500
# Of the parts, one of VAL_EVERY holds faces of the source's `val`, until there are no more of them.
VAL_EVERY = 6
# The kept square shows the network's input with MARGIN of its width around it, for shifted and turned views.
INPUT_PX, MARGIN = 128, 0.1875
KEPT_PX = round(INPUT_PX * (1 + 2 * MARGIN))
# The same square is also kept in colour, coarser: enough for the affect network, which makes its own greys of it.
COLOUR_PX = 112
EYE_PLACES = np.array([0.33, 0.36, 0.67, 0.36])
KEPT_EYES = (EYE_PLACES + MARGIN) / (1 + 2 * MARGIN)


class Source:
    """Reads files of the source by name, from a folder or from the newest commit of a git directory."""

    def __init__(self, place: Path):
        self.place = Path(place)
        self.git = None
        if not (self.place / "fairface_label_train.csv").exists():
            command = ["git", "--git-dir", str(self.place), "cat-file", "--batch"]
            self.git = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, name: str) -> bytes:
        if self.git is None:
            return (self.place / name).read_bytes()
        self.git.stdin.write(f"HEAD:{name}\n".encode())
        self.git.stdin.flush()
        head = self.git.stdout.readline().split()
        if len(head) != 3:
            raise FileNotFoundError(f"{name} is not in {self.place}")
        content = self.git.stdout.read(int(head[2]))
        self.git.stdout.read(1)
        return content

    def picture(self, name: str) -> np.ndarray:
        """BGR."""
        return cv2.imdecode(np.frombuffer(self.read(name), np.uint8), cv2.IMREAD_COLOR)

    def close(self) -> None:
        if self.git is not None:
            self.git.stdin.close()
            self.git.stdout.close()
            self.git.wait()


def adults(source: Source) -> list[dict[str, str]]:
    """The rows of both tables whose age band begins at 20 or later: file, age, gender, race, split."""
    rows = []
    for split in ("train", "val"):
        text = source.read(f"fairface_label_{split}.csv").decode("utf-8-sig")
        for row in csv.DictReader(io.StringIO(text)):
            age = SPOILED_BANDS.get(row["age"], row["age"])
            if age not in MINORS:
                rows.append({"file": f"fair_face/{row['file']}", "age": age, "gender": row["gender"], "race": row["race"], "split": split})
    return rows


def balanced_order(rows: list[dict[str, str]], seed: int = 5) -> list[int]:
    """Indexes of `rows`, shuffled, taking turns between the combinations of group and sex."""
    rng = np.random.default_rng(seed)
    places, groups = [], {}
    for index in rng.permutation(len(rows)):
        members = groups.setdefault((rows[index]["race"], rows[index]["gender"]), [])
        places.append((len(members), index))
        members.append(index)
    return [int(index) for _, index in sorted(places, key=lambda place: place[0])]


def parts(rows: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """The faces in pieces of PART_FACES, each of one split."""
    queues = {split: [row for row in rows if row["split"] == split] for split in ("train", "val")}
    queues = {split: [queue[index] for index in balanced_order(queue)] for split, queue in queues.items()}
    number = 0
    while queues["train"] or queues["val"]:
        split = "val" if (number % VAL_EVERY == 1 and queues["val"]) or not queues["train"] else "train"
        yield queues[split][:PART_FACES]
        queues[split] = queues[split][PART_FACES:]
        number += 1


def cache_folder() -> Path:
    return CACHE / "fairface"


def prepare(place: Path | None, limit_parts: int | None, show: Callable[[int, int], None]) -> None:
    """Labels the parts that are missing."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if place is None:
        raise SystemExit("give FairFace's folder or git directory: --pictures PATH")
    from .fairface_teachers import Teachers

    source = Source(place)
    wanted = list(parts(adults(source)))[:limit_parts]
    missing = [number for number in range(len(wanted)) if not (folder / f"part_{number:03}.npz").exists()]
    if missing:
        with Teachers() as teachers:
            for done, number in enumerate(missing):
                _label_part(folder / f"part_{number:03}.npz", wanted[number], source, teachers)
                show(done + 1, len(missing))
    source.close()


def _label_part(path: Path, rows: list[dict[str, str]], source: Source, teachers) -> None:
    kept, labels = [], []
    for row in rows:
        picture = source.picture(row["file"])
        told = teachers(picture)
        if told is None:
            continue
        eyes = told["points"][affect_data.LEFT_EYE_478, :2].mean(0), told["points"][affect_data.RIGHT_EYE_478, :2].mean(0)
        to_source = align.similarity_from_eyes(*eyes, KEPT_EYES[:2], KEPT_EYES[2:], KEPT_PX, KEPT_PX)
        grey = align.grey(picture[..., ::-1])
        kept.append(row)
        labels.append(told | {
            "image": affect_data.warp(grey, to_source, KEPT_PX).round().astype(np.uint8),
            "colour": affect_data.warp(picture, to_source @ np.diag([KEPT_PX / COLOUR_PX] * 2 + [1]), COLOUR_PX).round().astype(np.uint8),
            "to_source": to_source.astype(np.float32),
        })
    columns = {name: np.stack([label[name] for label in labels]) for name in labels[0]}
    columns |= {name: np.array([row[name] for row in kept]) for name in ("age", "gender", "race", "split")}
    columns["picture"] = np.array([row["file"] for row in kept])
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, asked=len(rows), **columns)
    os.replace(partial, path)


def load(split: str, names: list[str] | None = None, limit_parts: int | None = None) -> dict[str, np.ndarray]:
    """The labelled faces of a split: `image` [n, KEPT_PX, KEPT_PX], the teachers' words, and FairFace's columns."""
    found = []
    for path in sorted(cache_folder().glob("part_[0-9][0-9][0-9].npz"))[:limit_parts]:
        with np.load(path) as stored:
            if str(stored["split"][0]) == split:
                found.append({name: stored[name] for name in names or stored.files if name != "asked"})
    if not found:
        raise SystemExit("no labelled FairFace faces: run `python -m training prepare NET --pictures PATH` first")
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def faces_asked(split: str) -> tuple[int, int]:
    """How many faces of a split the teachers were shown, and in how many they found a face."""
    asked = seen = 0
    for path in sorted(cache_folder().glob("part_[0-9][0-9][0-9].npz")):
        with np.load(path) as stored:
            if str(stored["split"][0]) == split:
                asked, seen = asked + int(stored["asked"]), seen + len(stored["picture"])
    return asked, seen


def crop_pose(rotation: np.ndarray, to_source: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll in degrees relative to the kept square, whose turn is taken off the roll."""
    pose = degrees_from_rotation(rotation)
    turn = np.degrees(np.arctan2(to_source[:, 1, 0], to_source[:, 0, 0]))
    pose[:, 2] -= turn
    pose[:, 2] = (pose[:, 2] + 180) % 360 - 180
    return pose
