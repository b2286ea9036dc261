"""From trained weights to the model folder, its card and the parity fixture."""

import hashlib
import io
import json

import numpy as np
import torch

from . import align, detector_drawn, landmarks_card
from .common import FIXTURES, run_folder, write_model_folder
from .landmarks_crops import SIZE_PX, crop_matrix

OUTPUTS = ["points", "pose", "face"]
SAMPLED = 32
COMMAND = "python -m training evaluate landmarks"
# Picture, then centre x, centre y, side in px and turn in degrees of the square that is cut.
CASES = [
    ("drawn_face", (225.0, 205.0, 260.0, 0.0)),
    ("drawn_face", (230.5, 210.25, 310.0, 7.5)),
    ("waves", (320.0, 240.0, 100.0, -20.0)),
    ("waves", (600.0, 460.0, 200.0, 33.0)),
]


def to_onnx(net) -> bytes:
    buffer = io.BytesIO()
    example = torch.zeros(1, 1, SIZE_PX, SIZE_PX)
    torch.onnx.export(net, (example,), buffer, input_names=["crop"], output_names=OUTPUTS, opset_version=17, dynamo=False)
    return buffer.getvalue()


def write(cfg: dict, net) -> None:
    from .landmarks import MEAN, STD

    onnx_bytes = to_onnx(net)
    path = run_folder(cfg["name"]) / "evaluation.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `{COMMAND}` first")
    report = json.loads(path.read_text())
    folder = write_model_folder(
        name="landmarks",
        kind="landmarks",
        version="0.1.0",
        onnx_bytes=onnx_bytes,
        summary="68 points, head pose and whether there is a face, from a grey square crop of 112x112.",
        trained_on=landmarks_card.TRAINED_ON,
        input={"name": "crop", "shape": [1, 1, SIZE_PX, SIZE_PX], "colour": "grey", "mean": [MEAN], "std": [STD]},
        outputs=[
            {"name": "points", "shape": [1, 136]},
            {"name": "pose", "shape": [1, 3], "labels": ["yaw", "pitch", "roll"]},
            {"name": "face", "shape": [1, 1], "labels": ["face"]},
        ],
        figures=[{"name": name, "value": round(value, 5), "command": COMMAND} for name, value in report.items()],
        card=landmarks_card.text(report),
    )
    _write_fixture(net, onnx_bytes)
    print(f"wrote {folder} and {FIXTURES / 'landmarks_parity.json'}")


def _write_fixture(net, onnx_bytes: bytes) -> None:
    """Crops of drawn pictures, sampled pre-processing and PyTorch's outputs, after checking ONNX to 1e-5."""
    from .detector_export import OnnxNet
    from .landmarks import MEAN, STD

    run, cases = OnnxNet(onnx_bytes), []
    for name, (x, y, side, turn) in CASES:
        to_source = crop_matrix((x, y), side, turn)
        values = ((align.sample_affine(detector_drawn.draw(name), to_source, SIZE_PX, SIZE_PX) - MEAN) / STD)[None, None]
        values = values.astype(np.float32)
        with torch.no_grad():
            expected = [output.numpy() for output in net(torch.from_numpy(values))]
        for torch_output, onnx_output in zip(expected, run(values)):
            np.testing.assert_allclose(torch_output, onnx_output, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(torch_output).max())))
        indexes = np.linspace(0, values.size - 1, SAMPLED).round().astype(int)
        cases.append({
            "picture": name,
            "centre_x_px": x, "centre_y_px": y, "side_px": side, "turn_degrees": turn,
            "to_source": to_source.tolist(),
            "preprocessed_index": indexes.tolist(),
            "preprocessed": values.reshape(-1)[indexes].tolist(),
            "outputs": {output: value[0].tolist() for output, value in zip(OUTPUTS, expected)},
        })
    fixture = {
        "about": "Landmarks: crops of drawn grey pictures, sampled pre-processing and outputs. Written by "
                 "`python -m training export landmarks`. to_source takes input pixel positions (centres at +0.5) "
                 "to picture positions; indexes count row by row.",
        "model": "landmarks",
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "pictures": detector_drawn.describe(),
        "cases": cases,
    }
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / "landmarks_parity.json").write_text(json.dumps(fixture, indent=1) + "\n")
