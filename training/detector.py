"""The face detector: one grid of cells over a 320x240 grey picture, each with score, box and points.

Anchor-free, one scale range. The network goes down to 1/32 of the picture to see a whole large
face, and brings that context back up to cells of 8 px, fine enough for a small one.
"""

import json

import numpy as np
import torch
from torch import nn

from . import landmarks, loop, shipping
from .common import CACHE, run_folder, seed_everything
from .detector_scenes import HEIGHT_PX, WIDTH_PX, Scenes
from .detector_targets import losses, targets
from .landmarks import MEAN, STD, Residual, _conv

BOX_UNIT_PX = 16.0
# Scenes of this size, faces of up to half the working height: cheaper steps for what small faces need.
SMALL_HEIGHT_PX, SMALL_WIDTH_PX = 128, 160


class DetectorNet(nn.Module):
    def __init__(self, widths: list[int], head: int):
        super().__init__()
        half, quarter, eighth, sixteenth, deep = widths
        self.stem = nn.Sequential(_conv(1, half, 5, 2), _conv(half, quarter, 3, 2))
        self.eighth = _conv(quarter, eighth, 3, 2)
        self.sixteenth = nn.Sequential(_conv(eighth, sixteenth, 3, 2), Residual(sixteenth))
        self.deep = nn.Sequential(_conv(sixteenth, deep, 3, 2), Residual(deep), Residual(deep))
        self.deep_to_sixteenth = nn.Conv2d(deep, sixteenth, 1)
        self.mix = _conv(sixteenth, sixteenth)
        self.sixteenth_to_eighth = nn.Conv2d(sixteenth, eighth, 1)
        self.head = _conv(eighth, head)
        self.out = nn.Conv2d(head, 15, 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        nn.init.constant_(self.out.bias[0:1], -4.0)

    def forward(self, picture: torch.Tensor):
        """(logit, box, points): box and points in px from the cell's centre."""
        fine = self.eighth(self.stem(picture))
        middle = self.sixteenth(fine)
        context = self.upsample(self.deep_to_sixteenth(self.deep(middle)))
        middle = self.mix(torch.relu(middle + context[:, :, :middle.shape[2], :middle.shape[3]]))
        fine = torch.relu(fine + self.upsample(self.sixteenth_to_eighth(middle)))
        out = self.out(self.head(fine))
        box = torch.exp(out[:, 1:5].clamp(-4, 3)) * BOX_UNIT_PX
        # Points are said in face sizes, so that a small face's count as much as a large one's.
        size = box.detach().sum(1, keepdim=True) / 2
        return out[:, 0:1], box, out[:, 5:15] * size


def build_net(cfg: dict) -> DetectorNet:
    return DetectorNet(cfg["widths"], cfg["head"])


def prepare(cfg: dict) -> None:
    """The detector and the landmark network learn from the same pictures, labels and renders."""
    landmarks.prepare(cfg)


class SceneBatches(torch.utils.data.Dataset):
    """Step number in, batch out; a step's scenes depend on seed and step alone."""

    def __init__(self, cfg: dict):
        self.cfg = cfg
        self.scenes: Scenes | None = None

    def __len__(self) -> int:
        return self.cfg["steps"]

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        if self.scenes is None:
            self.scenes = Scenes(CACHE / self.cfg["cache"])
        rng = np.random.default_rng([self.cfg["seed"], step])
        is_small = step % self.cfg["full_every"] != 0
        height, width = (SMALL_HEIGHT_PX, SMALL_WIDTH_PX) if is_small else (HEIGHT_PX, WIDTH_PX)
        pictures, plans = [], []
        for _ in range(self.cfg["small_batch"] if is_small else self.cfg["batch"]):
            picture, faces, ignored = self.scenes.draw(rng, height=height, width=width)
            pictures.append(picture[None])
            plans.append(targets(faces, ignored, height // 8, width // 8)[0])
        return np.stack(pictures).astype(np.float32), np.stack(plans)


def train(cfg: dict) -> None:
    seed_everything(cfg["seed"])

    def loss(net, batch, device):
        pictures, plan = (part.to(device) for part in batch)
        parts = dict(zip(("score", "box", "points"), losses(net((pictures - MEAN) / STD), plan)))
        total = parts["score"] + cfg["box_weight"] * parts["box"] + cfg["point_weight"] * parts["points"]
        return total, {name: part.item() for name, part in parts.items()}

    loop.fit(
        loop.course_of(cfg), build_net(cfg), loop.drawn_ahead(SceneBatches(cfg), cfg), loss, threads=cfg["threads"]
    )


class Shipped(nn.Module):
    """The network as exported: probability instead of logit."""

    def __init__(self, net: DetectorNet):
        super().__init__()
        self.net = net

    def forward(self, picture: torch.Tensor):
        logit, box, points = self.net(picture)
        return torch.sigmoid(logit), box, points


def trained(cfg: dict) -> Shipped:
    """The averaged weights of the last checkpoint, as they are shipped."""
    net = loop.trained(cfg["name"], build_net(cfg))
    return Shipped(shipping.round_weights(shipping.fold_batch_norm(net))).eval()


def evaluate(cfg: dict) -> None:
    from .detector_evaluate import measure

    figures = measure(cfg, trained(cfg))
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(figures, indent=2))
    for name, value in figures.items():
        print(f"{name:42} {value:.5g}")


def export(cfg: dict) -> None:
    from .detector_export import write

    write(cfg, trained(cfg))
