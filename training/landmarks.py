"""The landmark network: 68 points, head pose, and whether there is a face at all, from one crop.

The pose convention is written down once, at the head of `landmarks_render`. Points are in
fractions of the crop and may lie outside it; pose is relative to the crop, so the program
adds the crop's own turn to roll.
"""

import json

import numpy as np
import torch
from torch import nn

from . import landmarks_labels, landmarks_pictures, landmarks_render, loop, model_card, shipping
from .common import CACHE, run_folder, seed_everything
from .landmarks_crops import MIRROR_68, SIZE_PX, Crops, batch

MEAN, STD = model_card.normalisation("landmarks")
WING_WIDTH_PX, WING_CURVATURE_PX = 8.0, 1.5
POSE_UNIT_DEGREES = 10.0


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


class LandmarkNet(nn.Module):
    """Strided convolutions to 7x7, then all places of the map together decide on each point."""

    def __init__(self, widths: list[int], squeeze: int, hidden: int):
        super().__init__()
        first, second, third, fourth = widths
        self.trunk = nn.Sequential(
            _conv(1, first, 5, 2),
            _conv(first, second, 3, 2), Residual(second),
            _conv(second, third, 3, 2), Residual(third),
            _conv(third, fourth, 3, 2), Residual(fourth),
            _conv(fourth, squeeze, 1),
            nn.Flatten(),
            nn.Linear(squeeze * 49, hidden), nn.ReLU(inplace=True),
        )
        self.points = nn.Linear(hidden, 136)
        self.pose = nn.Linear(hidden, 3)
        self.face = nn.Linear(hidden, 1)
        nn.init.normal_(self.points.weight, std=1e-3)

    def start_from(self, mean_points: np.ndarray) -> None:
        """Begins at the mean face, so that the first steps learn deviations."""
        with torch.no_grad():
            self.points.bias.copy_(torch.from_numpy(mean_points.reshape(136)).float())

    def forward(self, picture: torch.Tensor):
        """(points in crop fractions, pose in degrees, logit of being a face)."""
        features = self.trunk(picture)
        return self.points(features), self.pose(features) * POSE_UNIT_DEGREES, self.face(features)


def build_net(cfg: dict) -> LandmarkNet:
    return LandmarkNet(cfg["widths"], cfg["squeeze"], cfg["hidden"])


def prepare(cfg: dict) -> None:
    folder = CACHE / cfg["cache"]
    landmarks_pictures.prepare(folder, cfg.get("picture_limit"))
    landmarks_labels.save(folder)
    landmarks_render.prepare(folder, cfg["renders"])


class CropBatches(torch.utils.data.Dataset):
    """Step number in, batch out; a step's crops depend on seed and step alone, so that a resumed
    run draws what the whole run would have drawn."""

    def __init__(self, cfg: dict):
        self.cfg = cfg
        self.crops = Crops(CACHE / cfg["cache"])

    def __len__(self) -> int:
        return self.cfg["steps"]

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        return batch(self.crops, np.random.default_rng([self.cfg["seed"], step]), self.cfg["batch"])

    def mean_points(self) -> np.ndarray:
        _, points, weight, _, _ = batch(self.crops, np.random.default_rng(0), 200)
        return points[weight.sum(1) > 0].mean(0)


def wing(distance_px: torch.Tensor) -> torch.Tensor:
    """Logarithmic near zero, so that small errors keep their pull; linear far away."""
    width, curve = WING_WIDTH_PX, WING_CURVATURE_PX
    step = width - width * np.log(1 + width / curve)
    return torch.where(distance_px < width, width * torch.log1p(distance_px / curve), distance_px - step)


def loss_parts(out, points, weight, pose, is_face):
    """Mean losses of points, pose and face; pose counts where it is known."""
    error_px = (out[0].view(-1, 68, 2) - points).abs() * SIZE_PX
    point_loss = (wing(error_px).mean(2) * weight).sum() / weight.sum().clamp_min(1)
    known = torch.isfinite(pose[:, 0])
    off = (out[1][known] - pose[known]) / POSE_UNIT_DEGREES
    pose_loss = nn.functional.smooth_l1_loss(off, torch.zeros_like(off), beta=0.3)
    face_loss = nn.functional.binary_cross_entropy_with_logits(out[2][:, 0], is_face)
    return point_loss, pose_loss, face_loss


def train(cfg: dict) -> None:
    seed_everything(cfg["seed"])
    batches = CropBatches(cfg)
    net = build_net(cfg)
    net.start_from(batches.mean_points())
    pictures, truth = _quick_set(cfg)

    def loss(net, batch, device):
        picture, *targets = (part.to(device) for part in batch)
        parts = dict(zip(("points", "pose", "face"), loss_parts(net((picture - MEAN) / STD), *targets)))
        total = parts["points"] + cfg["pose_weight"] * parts["pose"] + cfg["face_weight"] * parts["face"]
        return total, {name: part.item() for name, part in parts.items()}

    def measure(net, device):
        with torch.no_grad():
            points = net((torch.from_numpy(pictures).to(device) - MEAN) / STD)[0].cpu().numpy()
        return {"held_out_nme": float(landmarks_labels.mean_error(points.reshape(-1, 68, 2), truth).mean())}

    loop.fit(loop.course_of(cfg), net, loop.drawn_ahead(batches, cfg), loss, measure, threads=cfg["threads"])


def _quick_set(cfg: dict) -> tuple[np.ndarray, np.ndarray]:
    """Held-out people's marked faces for the curve; `evaluate` measures with the reference sampler."""
    from .landmarks_evaluate import marked_crops

    return marked_crops(Crops(CACHE / cfg["cache"], held_out=True), every=cfg.get("quick_every", 2), exact=False)


class Shipped(nn.Module):
    """The network as exported: probability instead of logit. It looks at a face and at its mirror image, and answers
    the mean of both, which errs less and holds a still face stiller."""

    def __init__(self, net: LandmarkNet):
        super().__init__()
        self.net = net
        self.register_buffer("places", torch.from_numpy(MIRROR_68))
        self.register_buffer("turned_back", torch.tensor([-1.0, 1.0, -1.0]))

    def forward(self, crop: torch.Tensor):
        points, pose, logit = (output.chunk(2) for output in self.net(torch.cat([crop, crop.flip(3)])))
        x, y = points[1].view(-1, 68, 2)[:, self.places].unbind(2)
        there = torch.stack([1 - x, y], dim=2).flatten(1)
        mean = lambda one, other: (one + other) / 2
        return mean(points[0], there), mean(pose[0], pose[1] * self.turned_back), torch.sigmoid(mean(*logit))


def trained(cfg: dict) -> Shipped:
    """The averaged weights of the last checkpoint, as they are shipped."""
    net = loop.trained(cfg["name"], build_net(cfg))
    return Shipped(shipping.round_weights(shipping.fold_batch_norm(net))).eval()


def evaluate(cfg: dict) -> None:
    from .landmarks_evaluate import measure

    figures = measure(cfg, trained(cfg))
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(figures, indent=2))
    for name, value in figures.items():
        print(f"{name:42} {value:.5g}")


def export(cfg: dict) -> None:
    from .landmarks_export import write

    write(cfg, trained(cfg))
