"""What the affect network calls the neutral and the smiling faces of the London set: `python -m training.affect_london FILE`."""

import argparse
from pathlib import Path

from training import affect_data, affect_ship, london, model_card
from training.common import MODELS, area_under_curve

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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.affect_london", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=MODELS / "affect" / "model.onnx")
    given = model_card.read("affect")["input"]
    mean, std = model_card.normalisation("affect")
    input_cfg = {"size_px": model_card.input_size("affect")[0], "mean": mean, "std": std} | {
        name: given[name] for name in ("left_eye", "right_eye")
    }
    for name, value in measure(parser.parse_args().file.read_bytes(), input_cfg).items():
        print(f"{name:28} {value:.4g}")


if __name__ == "__main__":
    main()
