"""From trained weights to the model folder, its card and the parity fixture."""

import torch

from . import detector_card, detector_drawn, shipping
from .common import write_model_folder
from .detector_scenes import HEIGHT_PX, WIDTH_PX
from .landmarks import MEAN, STD

OUTPUTS = ["score", "box", "points"]
COMMAND = "python -m training evaluate detector"


def to_onnx(net) -> bytes:
    return shipping.to_onnx(net, torch.zeros(1, 1, HEIGHT_PX, WIDTH_PX), "picture", OUTPUTS)


def write(cfg: dict, net) -> None:
    onnx_bytes = to_onnx(net)
    report = shipping.report_of(cfg["name"], COMMAND)
    folder = write_model_folder(
        name="detector",
        kind="detector",
        version="0.2.0",
        onnx_bytes=onnx_bytes,
        summary="Faces with five points in a grey picture of 320x240, on a grid of cells of 8 px.",
        trained_on=detector_card.TRAINED_ON,
        input={"name": "picture", "shape": [1, 1, HEIGHT_PX, WIDTH_PX], "colour": "grey", "mean": [MEAN], "std": [STD]},
        outputs=[
            {"name": "score", "shape": [1, 1, 30, 40]},
            {"name": "box", "shape": [1, 4, 30, 40], "labels": ["left", "top", "right", "bottom"]},
            {"name": "points", "shape": [1, 10, 30, 40], "labels": detector_card.POINT_LABELS},
        ],
        figures=shipping.figures_of(report, COMMAND),
        card=detector_card.text(report),
    )
    print(f"wrote {folder}")
    _write_fixture(net, onnx_bytes)


def _write_fixture(net, onnx_bytes: bytes) -> None:
    """Drawn pictures, sampled pre-processing and outputs of PyTorch, after checking ONNX."""
    from .detector_find import fit_picture, normalise

    onnx_net, cases = shipping.OnnxNet(onnx_bytes), []
    for name in detector_drawn.PICTURES:
        fitted, scale = fit_picture(detector_drawn.draw(name))
        normalised = normalise(fitted)
        outputs = shipping.checked_outputs(net, onnx_net, normalised)
        indexes, values = shipping.sampled(normalised)
        cases.append({
            "picture": name,
            "source_px_per_input_px": scale,
            "preprocessed_index": indexes,
            "preprocessed": values,
            "outputs": {
                output: dict(zip(("index", "value"), shipping.sampled(value))) for output, value in zip(OUTPUTS, outputs)
            },
            "max_score": float(outputs[0].max()),
            "max_score_index": int(outputs[0].argmax()),
        })
    shipping.write_fixture(
        "detector",
        "Detector: drawn grey pictures, sampled pre-processing and outputs. Written by "
        "`python -m training export detector`. Indexes count row by row through the whole array.",
        onnx_bytes,
        pictures=detector_drawn.describe(),
        cases=cases,
    )
