"""The landmark network: 68 points, head pose, and whether there is a face at all, from one crop.

The pose convention is written down once, at the head of `landmarks_render`. Points are in
fractions of the crop and may lie outside it; pose is relative to the crop, so the program
adds the crop's own turn to roll.
"""

import json

import numpy as np
import torch
from torch import nn

from . import landmarks_labels, landmarks_pictures, landmarks_render
from .common import CACHE, Curves, Progress, load_checkpoint, pick_device, run_folder, save_checkpoint, seed_everything
from .landmarks_crops import SIZE_PX, Crops, batch

MEAN, STD = 127.5, 64.0
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


def rate_at(step: int, total: int, peak: float) -> float:
    """Learning rate: a short rise, then half a cosine to nothing. By step alone, so that a resumed run continues it."""
    rise = 0.08 * total
    return peak * min((step + 1) / rise, 0.5 * (1 + np.cos(np.pi * max(step - rise, 0) / (total - rise))))


def train(cfg: dict) -> None:
    seed_everything(cfg["seed"])
    device = pick_device(cfg["threads"])
    batches = CropBatches(cfg)
    net = build_net(cfg).to(device)
    net.start_from(batches.mean_points())
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(cfg["average"]), use_buffers=True
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=cfg["rate"], weight_decay=cfg["decay"])
    total = cfg["steps"]
    folder = run_folder(cfg["name"])
    state = load_checkpoint(folder / "checkpoint.pt")
    done, rows = 0, []
    if state:
        for key, part in (("net", net), ("average", average), ("optimiser", optimiser)):
            part.load_state_dict(state[key])
        done, rows = state["step"], state["rows"]
    curves, progress = Curves(folder, rows), Progress(total, done)
    loader = torch.utils.data.DataLoader(batches, batch_size=None, sampler=range(done, total), num_workers=cfg["workers"])
    sums = np.zeros(4)
    for step, samples in enumerate(loader, done):
        picture, points, weight, pose, is_face = (part.to(device) for part in samples)
        net.train()
        parts = loss_parts(net((picture - MEAN) / STD), points, weight, pose, is_face)
        loss = parts[0] + cfg["pose_weight"] * parts[1] + cfg["face_weight"] * parts[2]
        optimiser.param_groups[0]["lr"] = rate_at(step, total, cfg["rate"])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), cfg["clip"])
        optimiser.step()
        average.update_parameters(net)
        sums += [1, *(float(part.detach()) for part in parts)]
        means = sums[1:] / sums[0]
        progress.show(step + 1, f"points {means[0]:.2f}  pose {means[1]:.3f}  face {means[2]:.3f}")
        if (step + 1) % cfg["epoch_steps"] == 0 or step + 1 == total:
            nme = _quick_error(average.module, cfg, device)
            curves.add(epoch=(step + 1) / cfg["epoch_steps"], points=means[0], pose=means[1], face=means[2], held_out_nme=nme)
            progress.note(f"step {step + 1}: points {means[0]:.2f} pose {means[1]:.3f} face {means[2]:.3f} held-out NME {nme:.4f}")
            sums[:] = 0
            save_checkpoint(folder / "checkpoint.pt", {
                "step": step + 1, "rows": curves.rows, "net": net.state_dict(), "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
            })


def _quick_error(net: nn.Module, cfg: dict, device: torch.device) -> float:
    """NME of held-out people's marks, for the curve; `evaluate` measures with the reference sampler."""
    from .landmarks_evaluate import marked_crops

    global _quick_set
    if _quick_set is None:
        _quick_set = marked_crops(Crops(CACHE / cfg["cache"], held_out=True), every=cfg.get("quick_every", 2), exact=False)
    pictures, truth = _quick_set
    net.eval()
    with torch.no_grad():
        points = net((torch.from_numpy(pictures).to(device) - MEAN) / STD)[0].cpu().numpy()
    return float(landmarks_labels.mean_error(points.reshape(-1, 68, 2), truth).mean())


_quick_set: tuple[np.ndarray, np.ndarray] | None = None


class Shipped(nn.Module):
    """The network as exported: probability instead of logit."""

    def __init__(self, net: LandmarkNet):
        super().__init__()
        self.net = net

    def forward(self, crop: torch.Tensor):
        points, pose, logit = self.net(crop)
        return points, pose, torch.sigmoid(logit)


def trained(cfg: dict) -> Shipped:
    """The averaged weights of the last checkpoint."""
    state = load_checkpoint(run_folder(cfg["name"]) / "checkpoint.pt", restore_random=False)
    if state is None:
        raise SystemExit(f"no checkpoint in {run_folder(cfg['name'])}: run `python -m training train landmarks` first")
    net = build_net(cfg)
    average = torch.optim.swa_utils.AveragedModel(net, use_buffers=True)
    average.load_state_dict(state["average"])
    return Shipped(average.module).eval()


def evaluate(cfg: dict) -> None:
    from .landmarks_evaluate import measure

    figures = measure(cfg, trained(cfg))
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(figures, indent=2))
    for name, value in figures.items():
        print(f"{name:42} {value:.5g}")


def export(cfg: dict) -> None:
    from .landmarks_export import write

    write(cfg, trained(cfg))
