"""From trained weights to the model folder, its card and the parity fixture."""

import hashlib
import io
import json

import numpy as np
import onnxruntime
import torch

from . import detector_card, detector_drawn
from .common import FIXTURES, run_folder, write_model_folder
from .landmarks import MEAN, STD

OUTPUTS = ["score", "box", "points"]
SAMPLED = 32
COMMAND = "python -m training evaluate detector"


def to_onnx(net) -> bytes:
    from .detector_scenes import HEIGHT_PX, WIDTH_PX

    buffer = io.BytesIO()
    example = torch.zeros(1, 1, HEIGHT_PX, WIDTH_PX)
    torch.onnx.export(
        net, (example,), buffer, input_names=["picture"], output_names=OUTPUTS, opset_version=17, dynamo=False
    )
    return buffer.getvalue()


class OnnxNet:
    """The exported network on one thread, as the program runs it: array in, list of arrays out."""

    def __init__(self, onnx_bytes: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        return self.session.run(None, {self.input: values})


def write(cfg: dict, net) -> None:
    onnx_bytes = to_onnx(net)
    path = run_folder(cfg["name"]) / "evaluation.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `{COMMAND}` first")
    report = json.loads(path.read_text())
    folder = write_model_folder(
        name="detector",
        kind="detector",
        version="0.1.0",
        onnx_bytes=onnx_bytes,
        summary="Faces with five points in a grey picture of 320x240, on a grid of cells of 8 px.",
        trained_on=detector_card.TRAINED_ON,
        input={"name": "picture", "shape": [1, 1, 240, 320], "colour": "grey", "mean": [MEAN], "std": [STD]},
        outputs=[
            {"name": "score", "shape": [1, 1, 30, 40]},
            {"name": "box", "shape": [1, 4, 30, 40], "labels": ["left", "top", "right", "bottom"]},
            {"name": "points", "shape": [1, 10, 30, 40], "labels": detector_card.POINT_LABELS},
        ],
        figures=[{"name": name, "value": round(value, 5), "command": COMMAND} for name, value in report.items()],
        card=detector_card.text(report),
    )
    _write_fixture(net, onnx_bytes)
    print(f"wrote {folder} and {FIXTURES / 'detector_parity.json'}")


def _write_fixture(net, onnx_bytes: bytes) -> None:
    """Drawn pictures, sampled pre-processing and outputs of PyTorch, after checking ONNX to 1e-5 of each map's range."""
    from .detector_find import fit_picture, normalise

    run, cases = OnnxNet(onnx_bytes), []
    for name in detector_drawn.PICTURES:
        picture = detector_drawn.draw(name)
        fitted, scale = fit_picture(picture)
        values = normalise(fitted)
        with torch.no_grad():
            expected = [output.numpy() for output in net(torch.from_numpy(values))]
        for torch_output, onnx_output in zip(expected, run(values)):
            np.testing.assert_allclose(torch_output, onnx_output, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(torch_output).max())))
        indexes = np.linspace(0, values.size - 1, SAMPLED).round().astype(int)
        outputs = {}
        for output, value in zip(OUTPUTS, expected):
            flat = value.reshape(-1)
            at = np.linspace(0, flat.size - 1, SAMPLED).round().astype(int)
            outputs[output] = {"index": at.tolist(), "value": flat[at].tolist()}
        cases.append({
            "picture": name,
            "source_px_per_input_px": scale,
            "preprocessed_index": indexes.tolist(),
            "preprocessed": values.reshape(-1)[indexes].tolist(),
            "outputs": outputs,
            "max_score": float(expected[0].max()),
            "max_score_index": int(expected[0].argmax()),
        })
    fixture = {
        "about": "Detector: drawn grey pictures, sampled pre-processing and outputs. Written by "
                 "`python -m training export detector`. Indexes count row by row through the whole array.",
        "model": "detector",
        "sha256": hashlib.sha256(onnx_bytes).hexdigest(),
        "pictures": detector_drawn.describe(),
        "cases": cases,
    }
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / "detector_parity.json").write_text(json.dumps(fixture, indent=1) + "\n")
