"""FairFace's adults for the affect network: colour squares whose targets the teachers say.

The fused teachers follow the earlier network, which knows FER+ better than cameras. So their shares are brought together
with OpenVINO's five, whose network learned from other pictures and whose frequencies are made those of the fused shares
first. Within one of the five, the fused shares say how it is split, so that rare expressions stay. And where MediaPipe sees
a smile, happiness gains: voters looked at 48 px, where a faint smile hardly shows.
"""

import numpy as np

from training import affect_data, affect_teachers, fairface
from training.common import CACHE

# OpenVINO's classes in its order, and the expressions that each stands for.
GROUPS = [["neutral", "contempt"], ["happiness"], ["sadness"], ["surprise", "fear"], ["anger", "disgust"]]
OPENVINO_SHARE = 0.5
MATCHED_ROUNDS = 30
# From no smile to a clear one: MediaPipe's mouthSmile. Nearly half of the faces lie below the first, nearly half above the second.
SMILE_FROM, SMILE_TO = 0.02, 0.25
# The share of happiness at a clear smile, at least.
CLEAR_SMILE = 0.85
COLUMNS = ["colour", "blendshapes", "emotions", "race", "gender", "age"]


def load(cfg: dict, split: str) -> dict[str, np.ndarray]:
    """The faces of a split, with `shares`, `valence_arousal` and `most_voted` as the teachers say."""
    faces = fairface.load(split, COLUMNS)
    faces["image"] = faces.pop("colour")
    faces["eyes"] = np.tile(fairface.KEPT_EYES.astype(np.float32), (len(faces["image"]), 1))
    earlier = affect_teachers.earlier_shares(cfg, faces, [True], CACHE / f"affect_fairface_{split}.npz")
    words = affect_teachers.heard(earlier, faces["emotions"], faces["blendshapes"])
    shares = with_openvino(fused_teacher(cfg)(words), faces["emotions"])
    faces["shares"] = with_smiles(shares, affect_teachers.smile_of(faces["blendshapes"]))
    faces["valence_arousal"] = affect_data.axes_of(faces["shares"])
    faces["most_voted"] = faces["shares"].argmax(axis=1)
    faces["has_majority"] = faces["shares"].max(axis=1) > 0.5
    return faces


def held_out(cfg: dict) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Views and faces of each pool's held-out part: FER+ as cropped, FairFace by the eyes."""
    voted = affect_data.load_part(cfg, "holdout")
    pools = {"ferplus": (affect_data.eval_views(voted, cfg["input"], aligned=False), voted)}
    if "fairface" in cfg:
        faces = load(cfg, "val")
        pools["fairface"] = (affect_data.eval_views(faces, cfg["input"], aligned=True), faces)
    return pools


def fused_teacher(cfg: dict) -> affect_teachers.Fused:
    """Fitted to the votes of the held-out FER+ faces."""
    holdout = affect_data.load_part(cfg, "holdout")
    return affect_teachers.Fused(voted_words(cfg, holdout, "holdout"), holdout["shares"], cfg["teacher"]["penalty"])


def voted_words(cfg: dict, faces: dict[str, np.ndarray], part: str) -> np.ndarray:
    """What the teachers say of FER+ faces, in both framings."""
    earlier = affect_teachers.earlier_shares(cfg, faces, [False, True], affect_data.ferplus_cache(cfg).with_suffix(f".{part}.npz"))
    return affect_teachers.heard(earlier, faces["emotions"], faces["blendshapes"])


def with_openvino(shares: np.ndarray, emotions: np.ndarray) -> np.ndarray:
    """The geometric mean of both over the five groups; the split within a group stays."""
    member = np.array([[name in group for name in affect_data.EXPRESSIONS] for group in GROUPS], np.float32)
    groups = shares @ member.T
    told = matched(np.maximum(emotions, affect_teachers.FLOOR), groups.mean(axis=0))
    both = np.maximum(groups, affect_teachers.FLOOR) ** (1 - OPENVINO_SHARE) * told**OPENVINO_SHARE
    # Where both disagree, their mean is flatter: without this, rare expressions would be lost.
    both = matched(both / both.sum(axis=1, keepdims=True), groups.mean(axis=0))
    return (shares * ((both / np.maximum(groups, 1e-6)) @ member)).astype(np.float32)


def matched(shares: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Shares weighted by class, so that their means are those `wanted`."""
    weights = np.ones(len(wanted))
    for _ in range(MATCHED_ROUNDS):
        found = shares * weights
        weights *= wanted / (found / found.sum(axis=1, keepdims=True)).mean(axis=0)
    found = shares * weights
    return found / found.sum(axis=1, keepdims=True)


def with_smiles(shares: np.ndarray, smile: np.ndarray) -> np.ndarray:
    """Shares where a smile is happiness: the clearer it is, the larger is happiness's least share; the others shrink alike."""
    clear = np.clip((smile - SMILE_FROM) / (SMILE_TO - SMILE_FROM), 0, 1)
    happiness = affect_data.EXPRESSIONS.index("happiness")
    wanted = np.maximum(shares[:, happiness], CLEAR_SMILE * clear)
    others = (1 - wanted) / np.maximum(1 - shares[:, happiness], 1e-6)
    result = shares * others[:, None]
    result[:, happiness] = wanted
    return (result / result.sum(axis=1, keepdims=True)).astype(np.float32)


def teachers_text(cfg: dict) -> str:
    """How well the fused teacher knows held-out votes it was not fitted to, and what it says of FairFace."""
    holdout = affect_data.load_part(cfg, "holdout")
    words = voted_words(cfg, holdout, "holdout")
    alone = np.exp(words[:, : len(affect_data.EXPRESSIONS)]).argmax(axis=1) == holdout["most_voted"]
    best, rows = affect_teachers.best_penalty(words, holdout["shares"])
    lines = [f"earlier network: accuracy {alone.mean():.4f}; fused, by penalty (best {best:g}):"]
    lines += [f"  {penalty:g}: loss {loss:.4f}, accuracy {accuracy:.4f}" for penalty, loss, accuracy in rows]
    for split in ("train", "val"):
        faces = load(cfg, split)
        mean = ", ".join(f"{name} {share:.3f}" for name, share in zip(affect_data.EXPRESSIONS, faces["shares"].mean(axis=0)))
        lines.append(f"FairFace {split}, {len(faces['shares'])} faces, mean shares: {mean}")
    return "\n".join(lines)
