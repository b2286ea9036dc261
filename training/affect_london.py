"""What the affect network calls the neutral and the smiling faces of the London set."""

from training import affect_data, affect_ship, london
from training.common import area_under_curve

NEUTRAL, HAPPINESS = (affect_data.EXPRESSIONS.index(name) for name in ("neutral", "happiness"))


def measure(onnx_bytes: bytes, input_cfg: dict) -> dict[str, float]:
    faces = london.aligned_faces(input_cfg["left_eye"], input_cfg["right_eye"], input_cfg["size_px"])
    valence_arousal, _, shares = affect_ship.run_onnx(onnx_bytes, affect_data.normalise(faces["view"], input_cfg))
    winner, is_smile = shares.argmax(axis=1), faces["is_smile"]
    valence = valence_arousal[:, 0]
    return {
        "faces": len(winner),
        "smiles_called_happiness": float((winner[is_smile] == HAPPINESS).mean()),
        "neutrals_called_neutral": float((winner[~is_smile] == NEUTRAL).mean()),
        "happiness_auc": area_under_curve(shares[:, HAPPINESS], is_smile),
        "valence_auc": area_under_curve(valence, is_smile),
        "valence_smiling": float(valence[is_smile].mean()),
        "valence_neutral": float(valence[~is_smile].mean()),
    }
