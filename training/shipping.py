"""From a trained network to the file the program runs: folded, stored in 16 bits, checked, with its parity fixture.

Weights are rounded to 16 bits before anything is measured, so that the figures are those of the shipped file; the
runtime casts them to 32 bits once, on loading, and arithmetic stays in 32. Where 8 bits are faster and lose nothing that
can be measured, convolutions are in those.
"""

import hashlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime import quantization
from torch import nn

from training.common import FIXTURES, run_folder

SAMPLED = 32
# Of a network in 8 bits, what holds fewer floats are scales, which must stay as they are.
SCALES = 4000
# PyTorch and ONNX Runtime add up in different orders; of the outputs' range, at least of 1.
PARITY = 1e-5


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """The module with each convolution followed by batch norm replaced by the one convolution that equals both."""
    if not isinstance(module, nn.Sequential):
        for name, child in module.named_children():
            setattr(module, name, fold_batch_norm(child))
        return module
    layers = []
    for child in module:
        if isinstance(child, nn.BatchNorm2d) and layers and isinstance(layers[-1], nn.Conv2d):
            layers[-1] = nn.utils.fusion.fuse_conv_bn_eval(layers[-1], child)
        else:
            layers.append(fold_batch_norm(child))
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def round_weights(net: nn.Module) -> nn.Module:
    """Brings all weights to values that 16 bits hold."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.half().float())
    return net


def to_onnx(net: nn.Module, example: torch.Tensor, input_name: str, outputs: list[str]) -> bytes:
    """ONNX with the weights, rounded before, stored in 16 bits and cast to 32."""
    buffer = io.BytesIO()
    torch.onnx.export(
        net, (example,), buffer, input_names=[input_name], output_names=outputs, opset_version=17, dynamo=False
    )
    return _in_16_bits(buffer.getvalue())


def _in_16_bits(onnx_bytes: bytes, from_size: int = 0) -> bytes:
    """The same file with its floats, where there are `from_size` of them at least, stored in 16 bits and cast to 32."""
    model = onnx.load_from_string(onnx_bytes)
    graph = model.graph
    casts = []
    for number, tensor in enumerate(graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < from_size:
            continue
        name, stored = tensor.name, values.astype(np.float16)
        assert np.array_equal(stored.astype(np.float32), values), f"{name} was not rounded to 16 bits"
        tensor.CopyFrom(onnx.numpy_helper.from_array(stored, f"{name}_16"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], f"cast_{number}", to=onnx.TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def quantised(floats: bytes, input_name: str, views: np.ndarray, floats_from: int | None = None, head_in_floats: bool = False) -> bytes:
    """The same network with convolutions in whole numbers of 8 bits, scaled by what it does for `views`, one at a time.

    Weights get 7 bits: on processors without VNNI the sums of two products of 8 bits do not fit into their 16.
    From convolution number `floats_from` on (−1 is the last), convolutions stay in floats. With `head_in_floats`, all that follows the
    last convolution and its ReLU does: an output in 8 bits has 256 steps.
    """
    class Views(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = ({input_name: view[None]} for view in views)

        def get_next(self):
            return next(self.left, None)

    with tempfile.TemporaryDirectory() as folder:
        given, folded, made = (Path(folder) / name for name in ("given.onnx", "folded.onnx", "made.onnx"))
        given.write_bytes(floats)
        quantization.quant_pre_process(str(given), str(folded), skip_symbolic_shape=True)
        nodes = onnx.load(str(folded)).graph.node
        convolutions = [number for number, node in enumerate(nodes) if node.op_type == "Conv"]
        kept = [] if floats_from is None else [node.name for node in nodes[convolutions[floats_from] :]]
        kept += [node.name for node in nodes[convolutions[-1] + 2 :]] if head_in_floats else []
        quantization.quantize_static(
            str(folded), str(made), Views(), nodes_to_exclude=kept, quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8, reduce_range=True,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            op_types_to_quantize=["Conv", "Relu", "Add", "Concat"],
        )
        return _in_16_bits(made.read_bytes(), SCALES)


class OnnxNet:
    """An exported network on one thread, as the program runs it: array in, list of arrays out."""

    def __init__(self, onnx_bytes: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        return self.session.run(None, {self.input: values})


def checked_outputs(net: nn.Module, onnx_net: OnnxNet, values: np.ndarray) -> list[np.ndarray]:
    """What PyTorch answers, after checking that the file answers the same."""
    with torch.no_grad():
        expected = [output.numpy() for output in net(torch.from_numpy(values))]
    for wanted, found in zip(expected, onnx_net(values)):
        np.testing.assert_allclose(found, wanted, rtol=PARITY, atol=PARITY * max(1.0, float(np.abs(wanted).max())))
    return expected


def sampled(values: np.ndarray) -> tuple[list[int], list[float]]:
    """Some of `values`, evenly spread row by row: their indexes, and themselves."""
    flat = values.reshape(-1)
    indexes = np.linspace(0, flat.size - 1, SAMPLED).round().astype(int)
    return indexes.tolist(), flat[indexes].tolist()


def parity_case(net: nn.Module, floats: OnnxNet, shipped: OnnxNet, outputs: list[str], normalised: np.ndarray, **known) -> dict:
    """One case of a fixture: what is `known` of it, sampled pre-processing, and the shipped file's outputs.

    PyTorch is checked against the same network in floats. A file in 8 bits differs from both by what `evaluate` says.
    """
    checked_outputs(net, floats, normalised)
    indexes, values = sampled(normalised)
    found = {name: value[0].tolist() for name, value in zip(outputs, shipped(normalised))}
    return known | {"preprocessed_index": indexes, "preprocessed": values, "outputs": found}


def report_of(run: str, command: str) -> dict:
    """What the last evaluation of a run found."""
    path = run_folder(run) / "evaluation.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `{command}` first")
    return json.loads(path.read_text())


def figures_of(report: dict, command: str) -> list[dict]:
    """All figures of a report, as `model.toml` lists them."""
    return [{"name": name, "value": round(value, 5), "command": command} for name, value in report.items()]


def write_fixture(name: str, about: str, onnx_bytes: bytes, **content) -> None:
    """Writes `tests/fixtures/NAME_parity.json`, by which the program checks itself against PyTorch."""
    fixture = {"about": about, "model": name, "sha256": hashlib.sha256(onnx_bytes).hexdigest(), **content}
    FIXTURES.mkdir(parents=True, exist_ok=True)
    path = FIXTURES / f"{name}_parity.json"
    path.write_text(json.dumps(fixture, indent=1) + "\n")
    print(f"wrote {path}")
