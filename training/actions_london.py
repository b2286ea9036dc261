"""Smiles of the London set, as the actions network and MediaPipe see them."""

from . import actions_data, london
from .actions_net import SIZE_PX
from .actions_targets import ACTIONS, SHIPPED, from_mediapipe
from .common import area_under_curve
from .fairface import EYE_PLACES

SMILE = [action.arkit for action in ACTIONS].index("mouthSmile")
SHIPPED_SMILE = SHIPPED.index(SMILE)
# An intensity from which on a smile is counted. It was chosen before this set was read.
COUNTED_FROM = 0.3


def measure(read) -> dict[str, float]:
    """`read` is the network: views in, its outputs out."""
    faces = london.aligned_faces(EYE_PLACES[:2], EYE_PLACES[2:], SIZE_PX)
    smile, is_smile = read(actions_data.normalise(faces["view"]))[0][:, SHIPPED_SMILE], faces["is_smile"]
    return {
        "london_faces": float(len(smile)),
        "london_smile_auc": area_under_curve(smile, is_smile),
        "london_smile_auc_mediapipe": area_under_curve(from_mediapipe(faces["blendshapes"])[:, SMILE], is_smile),
        "london_smiles_counted": float((smile[is_smile] >= COUNTED_FROM).mean()),
        "london_neutrals_not_counted": float((smile[~is_smile] < COUNTED_FROM).mean()),
    }
