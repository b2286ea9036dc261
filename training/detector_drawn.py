"""Pictures drawn by formulas of whole numbers, the same bit for bit in any language, for the parity fixtures."""

import numpy as np

# Name: width, height, formula ("//" rounds towards zero; every operand is positive).
PICTURES = {
    "waves": (640, 480, "value(x, y) = 2*|(3x + 2y) mod 64 - 32| + 3*|(x + 4y) mod 82 - 41|"),
    "drawn_face": (
        450, 400,
        "value(x, y) = the first that holds: 30 if (x-180)^2 + 2(y-170)^2 < 300; 30 if (x-270)^2 + 2(y-170)^2 < 300; "
        "60 if (x-225)^2 + 6(y-265)^2 < 2500; 90 if 8(x-225)^2 + (y-215)^2 < 600; "
        "200 - x//8 if 2(x-225)^2 + (y-200)^2 < 26000; else 70 + y//8",
    ),
}


def draw(name: str) -> np.ndarray:
    """u8 [height, width]."""
    width, height, _ = PICTURES[name]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    if name == "waves":
        return (2 * abs((3 * x + 2 * y) % 64 - 32) + 3 * abs((x + 4 * y) % 82 - 41)).astype(np.uint8)
    conditions = [
        (x - 180) ** 2 + 2 * (y - 170) ** 2 < 300,
        (x - 270) ** 2 + 2 * (y - 170) ** 2 < 300,
        (x - 225) ** 2 + 6 * (y - 265) ** 2 < 2500,
        8 * (x - 225) ** 2 + (y - 215) ** 2 < 600,
        2 * (x - 225) ** 2 + (y - 200) ** 2 < 26000,
    ]
    return np.select(conditions, [30, 30, 60, 90, 200 - x // 8], 70 + y // 8).astype(np.uint8)


def describe() -> dict:
    return {name: {"width": w, "height": h, "formula": formula} for name, (w, h, formula) in PICTURES.items()}
