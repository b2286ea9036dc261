"""A wider affect network that answers as a narrower one does: where a training goes on with more room.

After Chen, Goodfellow and Shlens, *Net2Net: Accelerating Learning via Knowledge Transfer* (ICLR 2016): every new
channel copies an old one, and whoever reads the copies takes a share of each. The shares differ from reader to
reader, so that the copies are pulled apart by their first gradients.
"""

import numpy as np
import torch
from torch import nn

from training.affect_net import AffectNet, InceptionResidual, ResidualDown


def started(net_cfg: dict, weights: dict[str, torch.Tensor], seed: int) -> AffectNet:
    """A network with the weights of one of the same blocks, as wide as it or narrower."""
    is_width = lambda name: name == "trunk.0.0.weight" or name.endswith(".main.0.weight")
    narrow = AffectNet(**net_cfg | {"widths": [len(values) for name, values in weights.items() if is_width(name)]})
    narrow.load_state_dict(weights)
    wide = AffectNet(**net_cfg)
    widen(narrow, wide, np.random.default_rng(seed))
    return wide


@torch.no_grad()
def widen(narrow: AffectNet, wide: AffectNet, rng: np.random.Generator) -> None:
    """Fills `wide`, so that both answer the same."""
    source = np.zeros(1, int)
    for old, new in zip(narrow.trunk, wide.trunk, strict=True):
        if isinstance(new, nn.Sequential):
            inputs, source = source, _copies(old[0].out_channels, new[0].out_channels, rng)
            _fill(old, new, inputs, source, rng)
        elif isinstance(new, ResidualDown):
            inputs, source = source, _copies(old.main[0].out_channels, new.main[0].out_channels, rng)
            _fill(old.main, new.main, inputs, source, rng)
            _fill(old.shortcut[1], new.shortcut[1], inputs, source, rng)
        elif isinstance(new, InceptionResidual):
            # What is added to the block's input must copy the same channels as the input does.
            _, middle, wide_part = _parts(source, old.widths, new.widths)
            _fill(old.reduce, new.reduce, source, source, rng)
            _fill(old.middle, new.middle, middle, middle, rng)
            for name in ("wide_first", "wide_second"):
                _fill(getattr(old, name), getattr(new, name), wide_part, wide_part, rng)
    for name in ("valence_arousal", "log_variance", "expression"):
        old, new = getattr(narrow, name), getattr(wide, name)
        new.weight.copy_(_shared_out(old.weight, source, rng))
        new.bias.copy_(old.bias)


def _quarters(width: int) -> list[int]:
    return [width // 4, width // 2, width // 4]


def _copies(old_width: int, new_width: int, rng: np.random.Generator) -> np.ndarray:
    """Which old channel each new one copies; a quarter, a half and a quarter stay among themselves, as in a block."""
    copies, first = [], 0
    for old, new in zip(_quarters(old_width), _quarters(new_width)):
        copies += [first + np.arange(old), first + rng.choice(old, new - old, replace=new > 2 * old)]
        first += old
    return np.concatenate(copies)


def _parts(source: np.ndarray, old: list[int], new: list[int]) -> list[np.ndarray]:
    """The copies within each of a block's parts, counted from the part's first channel."""
    ends, firsts = np.cumsum(new), np.cumsum([0, *old[:-1]])
    return [source[end - width : end] - first for end, width, first in zip(ends, new, firsts)]


def _shared_out(weight: torch.Tensor, source: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """`weight` [outputs, old inputs, …] for copied inputs: each output takes its own shares of an input's copies."""
    raw = rng.uniform(0.3, 1.0, (weight.shape[0], len(source)))
    share = raw / (raw @ np.eye(weight.shape[1])[source])[:, source]
    share = torch.from_numpy(share).float()
    return weight[:, source] * share.reshape(*share.shape, *[1] * (weight.dim() - 2))


def _fill(old: nn.Sequential, new: nn.Sequential, inputs: np.ndarray, outputs: np.ndarray, rng: np.random.Generator) -> None:
    """A convolution and its batch normalisation."""
    new[0].weight.copy_(_shared_out(old[0].weight[outputs], inputs, rng))
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(new[1], name).copy_(getattr(old[1], name)[outputs])
