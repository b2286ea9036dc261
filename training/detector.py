"""The face detector: one grid of cells over a 320x240 grey picture, each with score, box and points.

Anchor-free, one scale range. The network goes down to 1/32 of the picture to see a whole large
face, and brings that context back up to cells of 8 px, fine enough for a small one.
"""

import json

import numpy as np
import torch
from torch import nn

from . import landmarks
from .common import CACHE, Curves, Progress, load_checkpoint, pick_device, run_folder, save_checkpoint, seed_everything
from .detector_scenes import HEIGHT_PX, WIDTH_PX, Scenes
from .detector_targets import losses, targets
from .landmarks import MEAN, STD, Residual, _conv, rate_at

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
    device = pick_device(cfg["threads"])
    net = build_net(cfg).to(device)
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
    batches = torch.utils.data.DataLoader(
        SceneBatches(cfg), batch_size=None, sampler=range(done, total), num_workers=cfg["workers"]
    )
    sums = np.zeros(4)
    for step, (pictures, plan) in enumerate(batches, done):
        net.train()
        parts = losses(net((pictures.to(device) - MEAN) / STD), plan.to(device))
        loss = parts[0] + cfg["box_weight"] * parts[1] + cfg["point_weight"] * parts[2]
        optimiser.param_groups[0]["lr"] = rate_at(step, total, cfg["rate"])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), cfg["clip"])
        optimiser.step()
        average.update_parameters(net)
        sums += [1, *(float(part.detach()) for part in parts)]
        means = sums[1:] / sums[0]
        progress.show(step + 1, f"score {means[0]:.3f}  box {means[1]:.3f}  points {means[2]:.4f}")
        if (step + 1) % cfg["epoch_steps"] == 0 or step + 1 == total:
            curves.add(epoch=(step + 1) / cfg["epoch_steps"], score=means[0], box=means[1], points=means[2])
            progress.note(f"step {step + 1}: score {means[0]:.3f} box {means[1]:.3f} points {means[2]:.4f}")
            sums[:] = 0
            save_checkpoint(folder / "checkpoint.pt", {
                "step": step + 1, "rows": curves.rows, "net": net.state_dict(), "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
            })


class Shipped(nn.Module):
    """The network as exported: probability instead of logit."""

    def __init__(self, net: DetectorNet):
        super().__init__()
        self.net = net

    def forward(self, picture: torch.Tensor):
        logit, box, points = self.net(picture)
        return torch.sigmoid(logit), box, points


def trained(cfg: dict) -> Shipped:
    """The averaged weights of the last checkpoint."""
    state = load_checkpoint(run_folder(cfg["name"]) / "checkpoint.pt", restore_random=False)
    if state is None:
        raise SystemExit(f"no checkpoint in {run_folder(cfg['name'])}: run `python -m training train detector` first")
    average = torch.optim.swa_utils.AveragedModel(build_net(cfg), use_buffers=True)
    average.load_state_dict(state["average"])
    return Shipped(average.module).eval()


def evaluate(cfg: dict) -> None:
    from .detector_evaluate import measure

    figures = measure(cfg, trained(cfg))
    (run_folder(cfg["name"]) / "evaluation.json").write_text(json.dumps(figures, indent=2))
    for name, value in figures.items():
        print(f"{name:42} {value:.5g}")


def export(cfg: dict) -> None:
    from .detector_export import write

    write(cfg, trained(cfg))
