"""From trained weights to the model folder, its card and the parity fixture."""

import hashlib

import torch

from . import actions_card, actions_data, actions_fit, affect_parity, align, shipping
from .actions_net import SIZE_PX
from .actions_targets import ACTIONS, SHIPPED
from .common import write_model_folder
from .fairface import EYE_PLACES

COMMAND = "python -m training evaluate actions"
LEFT_EYE, RIGHT_EYE = EYE_PLACES[:2].tolist(), EYE_PLACES[2:].tolist()
# Cases of the fixture: the pictures of the affect network's fixture, with eyes in px.
CASES = [(name, eyes) for name, eyes in affect_parity.CASES if eyes is not None]


def write(cfg: dict) -> None:
    net, onnx_bytes, floats = actions_fit.shipped(cfg)
    report = shipping.report_of(cfg["name"], COMMAND)
    if report.pop("sha256") != hashlib.sha256(onnx_bytes).hexdigest():
        raise SystemExit(f"the network has changed since its evaluation: run `{COMMAND}` again")
    folder = write_model_folder(
        name="actions",
        kind="actions",
        version=cfg["version"],
        onnx_bytes=onnx_bytes,
        summary="18 facial actions, closure and gaze of each eye, and head pose from a grey, eye-aligned face of 128 × 128 px.",
        trained_on=actions_card.TRAINED_ON,
        input={
            "name": "face", "shape": [1, 1, SIZE_PX, SIZE_PX], "colour": "grey", "mean": [actions_data.MEAN], "std": [actions_data.STD],
            "left_eye": LEFT_EYE, "right_eye": RIGHT_EYE,
        },
        outputs=[
            {"name": "actions", "shape": [1, len(SHIPPED)], "labels": [ACTIONS[place].name for place in SHIPPED]},
            {"name": "closure", "shape": [1, 2], "labels": ["left", "right"]},
            {"name": "gaze", "shape": [1, 4], "labels": ["yaw_left", "pitch_left", "yaw_right", "pitch_right"]},
            {"name": "pose", "shape": [1, 3], "labels": ["yaw", "pitch", "roll"]},
        ],
        figures=shipping.figures_of(report, COMMAND),
        card=actions_card.text(report),
    )
    print(f"wrote {folder}")
    write_fixture(net, onnx_bytes, floats)


def write_fixture(net: torch.nn.Module, onnx_bytes: bytes, floats: bytes) -> None:
    """Drawn pictures, sampled pre-processing and the file's outputs, after checking PyTorch against the same network in floats."""
    onnx_net, float_net, cases = shipping.OnnxNet(onnx_bytes), shipping.OnnxNet(floats), []
    for name, eyes in CASES:
        to_source = align.similarity_from_eyes(eyes[:2], eyes[2:], LEFT_EYE, RIGHT_EYE, SIZE_PX, SIZE_PX)
        view = align.sample_affine(affect_parity.draw(name), to_source, SIZE_PX, SIZE_PX)
        normalised = actions_data.normalise(view[None])
        cases.append(shipping.parity_case(
            net, float_net, onnx_net, actions_fit.OUTPUTS, normalised, picture=name, eyes_px=eyes, to_source=to_source.tolist()
        ))
    shipping.write_fixture(
        "actions",
        "Actions network: drawn grey pictures, pre-processing and outputs. Written by `python -m training export actions`. to_source "
        "takes input pixel positions (centres at +0.5) to picture positions; indexes count row by row.",
        onnx_bytes,
        width_px=affect_parity.WIDTH_PX,
        height_px=affect_parity.HEIGHT_PX,
        pictures=affect_parity.pictures(),
        cases=cases,
    )
