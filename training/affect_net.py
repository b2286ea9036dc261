"""The affect network: a grey aligned face → valence and arousal with their uncertainty, 8 expressions.

One trunk of residual and inception blocks with batch normalisation, three linear heads. Residual
blocks halve the picture with one wide convolution each, since wide convolutions are what a CPU does
best; inception blocks between them see each place at three sizes for few operations.
"""

import torch
from torch import nn
from torch.nn import functional

from training.shipping import fold_batch_norm, round_weights


def conv_bn(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualDown(nn.Module):
    """Halves width and height: 3×3 with stride 2, beside a pooled 1×1 shortcut."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.main = conv_bn(inputs, outputs, 3, stride=2)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), conv_bn(inputs, outputs, 1))

    def forward(self, x):
        return functional.relu(self.main(x) + self.shortcut(x))


class InceptionResidual(nn.Module):
    """Three fields of view (1×1, 3×3, two 3×3) from one shared 1×1, concatenated, added to the input."""

    def __init__(self, channels: int):
        super().__init__()
        quarter, half = channels // 4, channels // 2
        self.widths = [quarter, half, quarter]
        self.reduce = conv_bn(channels, sum(self.widths), 1)
        self.middle = conv_bn(half, half, 3)
        self.wide_first = conv_bn(quarter, quarter, 3)
        self.wide_second = conv_bn(quarter, quarter, 3)
        # Each block begins as the identity, which lets a short training of a deep net start at once.
        for last in (self.middle[1], self.wide_second[1]):
            nn.init.zeros_(last.weight)

    def forward(self, x):
        narrow, middle, wide = functional.relu(self.reduce(x)).split(self.widths, dim=1)
        middle = self.middle(middle)
        wide = self.wide_second(functional.relu(self.wide_first(wide)))
        return functional.relu(x + torch.cat([narrow, middle, wide], dim=1))


class AffectNet(nn.Module):
    """`forward` gives what training needs: valence_arousal, log_variance and expression logits."""

    def __init__(self, widths: list[int], blocks: list[int], dropout: float):
        super().__init__()
        layers = [conv_bn(1, widths[0], 3), nn.ReLU()]
        for stage, count in enumerate(blocks):
            inputs, outputs = widths[stage : stage + 2]
            layers += [ResidualDown(inputs, outputs), *(InceptionResidual(outputs) for _ in range(count))]
        self.trunk = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.valence_arousal = nn.Linear(widths[-1], 2)
        self.log_variance = nn.Linear(widths[-1], 2)
        self.expression = nn.Linear(widths[-1], 8)

    def features(self, x):
        return self.trunk(x).mean(dim=(2, 3))

    def forward(self, x):
        return self.heads(self.dropout(self.features(x)))

    def heads(self, features):
        return (
            torch.tanh(self.valence_arousal(features)),
            self.log_variance(features).clamp(-7.0, 2.0),
            self.expression(features),
        )


class ShippedAffectNet(nn.Module):
    """The trained network as the program runs it: batch norm and shortcuts folded in, calibrated, probabilities out.

    The calibration (see `affect_measure.calibrate`) goes into the heads' own weights. All weights
    are rounded to 16 bits, as which they are stored; arithmetic stays in 32, unless `shipping.quantised`
    makes it 8. Where it is `mirrored`, it looks at a face and at its mirror image, and answers the mean.
    """

    def __init__(self, net: AffectNet, calibration: dict, mirrored: bool = False):
        super().__init__()
        self.mirrored = mirrored
        self.net = fold_shortcuts(fold_batch_norm(net.eval()))
        with torch.no_grad():
            head = self.net.expression
            head.bias += torch.tensor(calibration["class_bias"])
            head.bias /= calibration["temperature"]
            head.weight /= calibration["temperature"]
            axes, factor = self.net.valence_arousal, torch.tensor(calibration["axis_factor"])
            axes.weight *= factor[:, None]
            axes.bias.mul_(factor).add_(torch.tensor(calibration["axis_shift"]))
            if "log_variance_weight" in calibration:
                self.net.log_variance.weight.copy_(torch.tensor(calibration["log_variance_weight"]))
                self.net.log_variance.bias.copy_(torch.tensor(calibration["log_variance_bias"]))
            self.net.log_variance.bias += torch.tensor(calibration["log_variance_offset"])
        round_weights(self.net)
        self.eval()

    def forward(self, x):
        valence_arousal, log_variance, logits = mirrored_mean(self.net, x) if self.mirrored else self.net(x)
        return valence_arousal, log_variance, functional.softmax(logits, dim=1)


def answers_and_features(net: AffectNet):
    """Views in, the three answers and the features that the heads read out."""
    def answer(x):
        features = net.features(x)
        return *net.heads(features), features

    return answer


def mirrored_mean(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Each output's mean over the faces and their mirror images, seen as one batch."""
    both = net(torch.cat([x, x.flip(3)]))
    return [torch.stack(output.chunk(2)).mean(dim=0) for output in both]


def fold_shortcuts(module: nn.Module) -> nn.Module:
    """Replaces each `ResidualDown` by one convolution that equals both of its ways, for pictures of even size.

    The mean of 2×2 places and a 1×1 convolution are a 2×2 convolution, whose places are the last four
    of the nine that the 3×3 convolution looks at.
    """
    for name, child in module.named_children():
        if isinstance(child, ResidualDown):
            both, shortcut = child.main, child.shortcut[1]
            with torch.no_grad():
                both.weight[:, :, 1:, 1:] += shortcut.weight / 4
                both.bias += shortcut.bias
            setattr(module, name, nn.Sequential(both, nn.ReLU()))
        else:
            fold_shortcuts(child)
    return module
