"""The fixture by which the program checks itself: drawn pictures in, numbers out, no photograph.

The pictures are integer formulas, so that any language draws them bit for bit the same.
"""

import numpy as np
import torch

from training import affect_data, align, shipping
from training.affect_ship import OUTPUTS

WIDTH_PX, HEIGHT_PX = 96, 80
FORMULAS = {
    "waves": "value(x, y) = 2*|(3x + 2y) mod 64 - 32| + 3*|(x + 4y) mod 82 - 41|",
    "drawn_face": (
        "value(x, y) = the first that holds: 30 if (x-34)^2 + 2(y-30)^2 < 20; 30 if (x-62)^2 + 2(y-34)^2 < 20; "
        "60 if (x-46)^2 + 6(y-58)^2 < 160; 190 - x if 2(x-48)^2 + (y-42)^2 < 1500; else 70 + y; all integers"
    ),
}


def draw(name: str) -> np.ndarray:
    """The picture of `FORMULAS[name]`, u8 [HEIGHT_PX, WIDTH_PX]."""
    x, y = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    if name == "waves":
        return (2 * abs((3 * x + 2 * y) % 64 - 32) + 3 * abs((x + 4 * y) % 82 - 41)).astype(np.uint8)
    conditions = [
        (x - 34) ** 2 + 2 * (y - 30) ** 2 < 20,
        (x - 62) ** 2 + 2 * (y - 34) ** 2 < 20,
        (x - 46) ** 2 + 6 * (y - 58) ** 2 < 160,
        2 * (x - 48) ** 2 + (y - 42) ** 2 < 1500,
    ]
    return np.select(conditions, [30, 30, 60, 190 - x], 70 + y).astype(np.uint8)


def pictures() -> dict[str, dict]:
    """What a fixture says of the pictures, so that another language can draw them and check its drawing."""
    return {name: {"formula": formula, "sum": int(draw(name).astype(int).sum())} for name, formula in FORMULAS.items()}


# Eyes in px, image-left then image-right; None stretches the whole picture over the input.
CASES = [
    ("waves", [31.5, 27.25, 66.0, 36.5]),
    ("waves", [40.0, 38.0, 52.5, 33.0]),
    ("drawn_face", [34.5, 30.5, 62.5, 34.5]),
    ("drawn_face", None),
]


def write_fixture(net: torch.nn.Module, onnx_bytes: bytes, floats: bytes, input_cfg: dict) -> None:
    """Writes `tests/fixtures/affect_parity.json`: the program must answer as the file does here."""
    size, onnx_net, cases = input_cfg["size_px"], shipping.OnnxNet(onnx_bytes), []
    float_net = shipping.OnnxNet(floats)
    for name, eyes in CASES:
        picture = draw(name)
        fractions = np.full(4, np.nan) if eyes is None else np.array(eyes) / ([WIDTH_PX, HEIGHT_PX] * 2)
        to_source = affect_data.frame(picture, fractions, input_cfg, aligned=eyes is not None)
        view = align.sample_affine(picture, to_source, size, size)
        normalised = affect_data.normalise(view[None], input_cfg)
        cases.append(shipping.parity_case(
            net, float_net, onnx_net, OUTPUTS, normalised, picture=name, eyes_px=eyes, to_source=to_source.tolist()
        ))
    shipping.write_fixture(
        "affect",
        "Affect network: drawn grey pictures, pre-processing and outputs. Written by "
        "`python -m training export affect`. eyes_px null: the whole picture stretched over the input. "
        "to_source takes output pixel positions (centres at +0.5) to picture positions. "
        "preprocessed_index counts row by row through the normalised input.",
        onnx_bytes,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        pictures=pictures(),
        cases=cases,
    )
