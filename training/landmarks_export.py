"""From trained weights to the model folder, its card and the parity fixture."""

import numpy as np
import torch

from . import align, detector_drawn, landmarks_card, shipping
from .common import CACHE, write_model_folder
from .landmarks_crops import SIZE_PX, Crops, batch, crop_matrix

OUTPUTS = ["points", "pose", "face"]
COMMAND = "python -m training evaluate landmarks"
# Picture, then centre x, centre y, side in px and turn in degrees of the square that is cut.
CASES = [
    ("drawn_face", (225.0, 205.0, 260.0, 0.0)),
    ("drawn_face", (230.5, 210.25, 310.0, 7.5)),
    ("waves", (320.0, 240.0, 100.0, -20.0)),
    ("waves", (600.0, 460.0, 200.0, 33.0)),
]


# How many training crops say how large the numbers inside the network get.
RANGED_CROPS = 400


def to_onnx(net, cfg: dict) -> tuple[bytes, bytes]:
    """The file that ships, with all convolutions but the last in 8 bits, and the same network in floats."""
    from .landmarks import MEAN, STD

    floats = shipping.to_onnx(net, torch.zeros(1, 1, SIZE_PX, SIZE_PX), "crop", OUTPUTS)
    crops = batch(Crops(CACHE / cfg["cache"]), np.random.default_rng(cfg["seed"]), RANGED_CROPS)[0]
    # A point lies between steps of 8 bits: with the last convolution in them, a still face trembles twice as much.
    return shipping.quantised(floats, "crop", (crops - MEAN) / STD, floats_from=-1), floats


def write(cfg: dict, net) -> None:
    from .landmarks import MEAN, STD

    onnx_bytes, floats = to_onnx(net, cfg)
    report = shipping.report_of(cfg["name"], COMMAND)
    folder = write_model_folder(
        name="landmarks",
        kind="landmarks",
        version="0.2.0",
        onnx_bytes=onnx_bytes,
        summary="68 points, head pose and whether there is a face, from a grey square crop of 112x112.",
        trained_on=landmarks_card.TRAINED_ON,
        input={"name": "crop", "shape": [1, 1, SIZE_PX, SIZE_PX], "colour": "grey", "mean": [MEAN], "std": [STD]},
        outputs=[
            {"name": "points", "shape": [1, 136]},
            {"name": "pose", "shape": [1, 3], "labels": ["yaw", "pitch", "roll"]},
            {"name": "face", "shape": [1, 1], "labels": ["face"]},
        ],
        figures=shipping.figures_of(report, COMMAND),
        card=landmarks_card.text(report),
    )
    print(f"wrote {folder}")
    _write_fixture(net, onnx_bytes, floats)


def _write_fixture(net, onnx_bytes: bytes, floats: bytes) -> None:
    """Crops of drawn pictures, sampled pre-processing and the file's outputs, after checking PyTorch against the same
    network in floats."""
    from .landmarks import MEAN, STD

    onnx_net, float_net, cases = shipping.OnnxNet(onnx_bytes), shipping.OnnxNet(floats), []
    for name, (x, y, side, turn) in CASES:
        to_source = crop_matrix((x, y), side, turn)
        crop = align.sample_affine(detector_drawn.draw(name), to_source, SIZE_PX, SIZE_PX)
        normalised = ((crop - MEAN) / STD)[None, None].astype(np.float32)
        shipping.checked_outputs(net, float_net, normalised)
        outputs = onnx_net(normalised)
        indexes, values = shipping.sampled(normalised)
        cases.append({
            "picture": name,
            "centre_x_px": x, "centre_y_px": y, "side_px": side, "turn_degrees": turn,
            "to_source": to_source.tolist(),
            "preprocessed_index": indexes,
            "preprocessed": values,
            "outputs": {output: value[0].tolist() for output, value in zip(OUTPUTS, outputs)},
        })
    shipping.write_fixture(
        "landmarks",
        "Landmarks: crops of drawn grey pictures, sampled pre-processing and outputs. Written by "
        "`python -m training export landmarks`. to_source takes input pixel positions (centres at +0.5) "
        "to picture positions; indexes count row by row.",
        onnx_bytes,
        pictures=detector_drawn.describe(),
        cases=cases,
    )
