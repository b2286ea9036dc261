"""A trainable network from a shipped file, whose checkpoint is gone.

The file holds folded convolutions, in 8 bits or floats, and heads with the calibration folded in. Each convolution and its
bias go into a convolution with batch normalisation whose statistics are those of training faces, and whose scale undoes
them. So the network answers as the file does, and begins in training mode where it would be in eval mode. The shortcuts of
`ResidualDown` are in the file's convolutions: they begin again from nothing.
"""

import numpy as np
import onnx
import torch
from torch import nn

from training import affect_data, affect_measure
from training.affect_net import AffectNet, ResidualDown
from training.affect_teachers import file_of
from training.common import run_folder

FACES = 2000
PREFIX = "net."


def recover(cfg: dict) -> None:
    """Writes `best.pt` of the run that training starts from, out of the teacher's file, if it is missing."""
    given, target = cfg["teacher"], run_folder(cfg["train"]["start_from"]) / "best.pt"
    if target.exists():
        print(f"{target} is there already")
        return
    net = AffectNet(**cfg["net"]).eval()
    fill(net, weights_of(file_of(given).read_bytes()))
    holdout = affect_data.load_part(cfg, "holdout")
    bias = torch.tensor(given["rare_class_power"] * affect_measure.rarity_of(holdout["shares"]), dtype=torch.float32)
    with torch.no_grad():
        net.expression.weight *= given["temperature"]
        net.expression.bias *= given["temperature"]
        net.expression.bias -= bias
    train = affect_data.load_part(cfg, "train")
    some = np.linspace(0, len(train["image"]) - 1, FACES).round().astype(int)
    faces = {name: train[name][some] for name in ("image", "eyes")}
    set_statistics(net, torch.from_numpy(affect_data.eval_views(faces, cfg["input"], aligned=False)))
    torch.save(net.state_dict(), target)
    print(f"wrote {target}")


def weights_of(onnx_bytes: bytes) -> dict[str, np.ndarray]:
    """Weights and biases by their names in the network, in floats."""
    graph = onnx.load_from_string(onnx_bytes).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name: values for name, values in stored.items() if values.dtype == np.float32}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            found[node.output[0]] = stored[node.input[0]].astype(np.float32)
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            whole, scale, zero = (stored.get(name, found.get(name)) for name in node.input)
            shape = (-1, *[1] * (whole.ndim - 1))
            values = (whole.astype(np.float32) - zero.reshape(shape)) * scale.reshape(shape)
            found[node.output[0].removesuffix("_DequantizeLinear_Output")] = values
    return {name.removeprefix(PREFIX): values for name, values in found.items() if name.startswith(PREFIX)}


@torch.no_grad()
def fill(net: AffectNet, weights: dict[str, np.ndarray]) -> None:
    """Puts folded convolutions and heads into `net`, whose batch normalisation then only adds the bias."""
    def put(pair: nn.Sequential, name: str) -> None:
        convolution, norm = pair[0], pair[1]
        convolution.weight.copy_(torch.tensor(weights[f"{name}.weight"]))
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(torch.tensor(weights[f"{name}.bias"]))

    for number, layer in enumerate(net.trunk):
        if isinstance(layer, ResidualDown):
            put(layer.main, f"trunk.{number}.0")
            layer.shortcut[1][1].weight.zero_()
        elif isinstance(layer, nn.Sequential):
            put(layer, f"trunk.{number}")
        elif not isinstance(layer, nn.ReLU):
            for name in ("reduce", "middle", "wide_first", "wide_second"):
                put(getattr(layer, name), f"trunk.{number}.{name}")
    for name in ("valence_arousal", "log_variance", "expression"):
        head = getattr(net, name)
        head.weight.copy_(torch.tensor(weights[f"{name}.weight"]))
        head.bias.copy_(torch.tensor(weights[f"{name}.bias"]))


@torch.no_grad()
def set_statistics(net: AffectNet, views: torch.Tensor) -> None:
    """Gives each batch normalisation the mean and variance that `views` make there, without a change of the answers."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    seen = {norm: [] for norm in norms}

    def watch(norm, inputs):
        seen[norm].append(torch.stack([inputs[0].mean(dim=(0, 2, 3)), (inputs[0] ** 2).mean(dim=(0, 2, 3))]))

    handles = [norm.register_forward_pre_hook(watch) for norm in norms]
    for batch in views.split(250):
        net(batch)
    for handle in handles:
        handle.remove()
    for norm in norms:
        mean, square = torch.stack(seen[norm]).mean(dim=0)
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        norm.bias += (mean - norm.running_mean) * scale
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean**2).clamp_min(1e-8))
        norm.weight.copy_(scale * torch.sqrt(norm.running_var + norm.eps))
