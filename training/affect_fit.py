"""Fitting the affect network: loss, sampling, schedule, and a run that can be killed and resumed."""

import copy
import math

import numpy as np
import torch
from torch.nn import functional

from training import affect_data, affect_measure, affect_pseudo
from training.affect_net import AffectNet
from training.common import Curves, Progress, load_checkpoint, pick_device, run_folder, save_checkpoint, seed_everything

MSE_WEIGHT = 3.0
CONCORDANCE_WEIGHT = 0.5
VARIANCE_WEIGHT = 0.2


def loss_of(outputs, shares, valence_arousal, cfg: dict) -> torch.Tensor:
    """Cross-entropy with the votes' shares, plus both axes' error, concordance and stated variance."""
    predicted, log_variance, logits = outputs
    expression = -(shares * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()
    error = predicted - valence_arousal
    covariance = ((predicted - predicted.mean(0)) * (valence_arousal - valence_arousal.mean(0))).mean(0)
    spread = predicted.var(0, unbiased=False) + valence_arousal.var(0, unbiased=False) + error.mean(0) ** 2
    concordance = 2 * covariance / (spread + 1e-6)
    # The mean is detached: a large stated variance must not excuse a poor valence or arousal.
    squared = error.detach() ** 2
    likelihood = 0.5 * (log_variance + squared * torch.exp(-log_variance))
    axes = MSE_WEIGHT * (error**2).sum(1).mean() + CONCORDANCE_WEIGHT * (1 - concordance).sum()
    return expression + cfg["valence_arousal_weight"] * axes + VARIANCE_WEIGHT * likelihood.sum(1).mean()


def sampling_odds(shares: np.ndarray, power: float) -> np.ndarray:
    """How often each face is drawn: faces of rare expressions more often, by frequency^-power."""
    odds = shares @ (shares.mean(axis=0) + 1e-6) ** -power
    return odds / odds.sum()


def load_training(cfg: dict) -> dict:
    """All faces to train on, with `odds` of being drawn; voted faces first, then pseudo-labelled ones."""
    power = cfg["train"]["sampling_power"]
    faces = affect_data.load_part(cfg, "train")
    faces["odds"] = sampling_odds(faces["shares"], power)
    if "muxspace" not in cfg:
        return faces
    share = cfg["muxspace"]["share"]
    pseudo = affect_pseudo.load_pseudo(cfg)
    pseudo["odds"] = sampling_odds(pseudo["shares"], power) * share
    faces["odds"] *= 1 - share
    merged = {name: np.concatenate([faces[name], pseudo[name]]) for name in pseudo if name != "image"}
    # The pictures differ in size, so they stay a list.
    return merged | {"image": [*faces["image"], *pseudo["image"]]}


class MovingAverage:
    """A slowly following copy of the network: steadier than any single step of it."""

    def __init__(self, net: torch.nn.Module, decay: float):
        self.net = copy.deepcopy(net).eval()
        self.decay = decay
        self.steps = 0

    def follow(self, net: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        with torch.no_grad():
            for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values()):
                if mine.is_floating_point():
                    mine.lerp_(theirs, 1 - decay)
                else:
                    mine.copy_(theirs)


def learning_rate(progress: float, peak: float) -> float:
    """One cycle: a short rise, then a half cosine down to nothing."""
    rise = 0.1
    if progress < rise:
        return peak * (0.05 + 0.95 * progress / rise)
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - rise) / (1 - rise)))


def new_net(cfg: dict) -> AffectNet:
    return AffectNet(**cfg["net"])


def holdout_figures(net: torch.nn.Module, views: np.ndarray, holdout: dict, device: torch.device) -> dict[str, float]:
    """Figures of the uncalibrated network on the held-out faces."""
    outputs = affect_measure.predict(net, views, device)
    outputs[2] = affect_measure.softmax(outputs[2])
    names = ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal", "calibration_error")
    found = affect_measure.figures(outputs, holdout)
    return {name: found[name] for name in names}


def fit(cfg: dict) -> None:
    """Trains, or goes on training, to `training/runs/NAME/`; `best.pt` is the average with the best figures."""
    seed_everything(cfg["seed"])
    train_cfg, folder = cfg["train"], run_folder(cfg["name"])
    device = pick_device(cfg["threads"])
    faces = load_training(cfg)
    holdout = affect_data.load_part(cfg, "holdout")
    holdout_views = affect_data.eval_views(holdout, cfg["input"], aligned=False)

    net = new_net(cfg)
    if "start_from" in train_cfg:
        net.load_state_dict(torch.load(run_folder(train_cfg["start_from"]) / "best.pt", map_location="cpu"))
    net = net.to(device, memory_format=torch.channels_last)
    average = MovingAverage(net, train_cfg["ema_decay"])
    optimiser = torch.optim.AdamW(net.parameters(), lr=1.0, weight_decay=train_cfg["weight_decay"])
    saved = load_checkpoint(folder / "checkpoint.pt")
    first_epoch, best, rows = 0, -math.inf, []
    if saved:
        net.load_state_dict(saved["net"])
        average.net.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        first_epoch, best, rows, average.steps = saved["epoch"], saved["best"], saved["rows"], saved["average_steps"]

    curves = Curves(folder, rows)
    count, batch = len(faces["image"]), train_cfg["batch"]
    steps = count // batch
    total_steps = steps * train_cfg["epochs"]
    progress = Progress(total_steps, first_epoch * steps)
    for epoch in range(first_epoch, train_cfg["epochs"]):
        rng = np.random.default_rng([cfg["seed"], epoch])
        augmenter = affect_data.Augmenter(cfg, rng)
        order = rng.choice(count, steps * batch, p=faces["odds"])
        net.train()
        loss_sum = 0.0
        for step in range(steps):
            done = epoch * steps + step
            chosen = order[step * batch : (step + 1) * batch]
            views = affect_data.normalise(augmenter.batch(faces, chosen), cfg["input"])
            views = torch.from_numpy(views).to(device, memory_format=torch.channels_last)
            targets = [torch.from_numpy(faces[name][chosen]).to(device) for name in ("shares", "valence_arousal")]
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(done / total_steps, train_cfg["learning_rate"])
            loss = loss_of(net(views), *targets, train_cfg)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            average.follow(net)
            loss_sum += loss.item()
            progress.show(done + 1, f"epoch {epoch + 1}  loss {loss_sum / (step + 1):.3f}")
        found = holdout_figures(average.net, holdout_views, holdout, device)
        curves.add(epoch=epoch + 1, loss=loss_sum / steps, **found)
        progress.note(f"epoch {epoch + 1}: loss {loss_sum / steps:.3f}  "
                      + "  ".join(f"{name} {value:.3f}" for name, value in found.items()))
        score = sum(value for name, value in found.items() if name != "calibration_error")
        if score > best:
            best = score
            torch.save(average.net.state_dict(), folder / "best.pt")
        save_checkpoint(folder / "checkpoint.pt", {
            "net": net.state_dict(), "average": average.net.state_dict(), "optimiser": optimiser.state_dict(),
            "epoch": epoch + 1, "best": best, "rows": curves.rows, "average_steps": average.steps,
        })
