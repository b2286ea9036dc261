"""Fitting the affect network: loss, sampling, schedule, and a run that can be killed and resumed."""

import itertools
import math
from functools import partial

import cv2
import numpy as np
import torch
from torch.nn import functional

from training import affect_data, affect_fairface, affect_measure, affect_teachers, affect_turned, loop
from training.affect_net import AffectNet
from training.common import run_folder, seed_everything

MSE_WEIGHT = 3.0
CONCORDANCE_WEIGHT = 0.5
VARIANCE_WEIGHT = 0.2
# The rest of the batches shows faces as they are, of which the stated uncertainty is learned.
MIXED_BATCHES = 0.5
# Of each pool's held-out faces, how many are looked at after each epoch.
WATCHED_FACES = 1500
SCORED = ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal")


def loss_of(outputs, shares, valence_arousal, voted, cfg: dict) -> torch.Tensor:
    """Cross-entropy with the shares, plus both axes' error and concordance, and their stated variance about what was `voted`."""
    predicted, log_variance, logits = outputs
    expression = -(shares * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()
    error = predicted - valence_arousal
    covariance = ((predicted - predicted.mean(0)) * (valence_arousal - valence_arousal.mean(0))).mean(0)
    spread = predicted.var(0, unbiased=False) + valence_arousal.var(0, unbiased=False) + error.mean(0) ** 2
    concordance = 2 * covariance / (spread + 1e-6)
    # The mean is detached: a large stated variance must not excuse a poor valence or arousal.
    squared = (predicted.detach() - voted) ** 2
    likelihood = 0.5 * (log_variance + squared * torch.exp(-log_variance))
    axes = MSE_WEIGHT * (error**2).sum(1).mean() + CONCORDANCE_WEIGHT * (1 - concordance).sum()
    return expression + cfg["valence_arousal_weight"] * axes + VARIANCE_WEIGHT * likelihood.sum(1).mean()


def sampling_odds(shares: np.ndarray, power: float) -> np.ndarray:
    """How often each face is drawn: faces of rare expressions more often, by frequency^-power."""
    odds = shares @ (shares.mean(axis=0) + 1e-6) ** -power
    return odds / odds.sum()


def load_training(cfg: dict) -> dict:
    """All faces to train on, with `odds` of being drawn: voted faces, and shares of FairFace's and turned ones."""
    power = cfg["train"]["sampling_power"]
    voted = affect_data.load_part(cfg, "train")
    voted["voted"] = voted["valence_arousal"]
    if "teacher" in cfg:
        shares = affect_fairface.fused_teacher(cfg)(affect_fairface.voted_words(cfg, voted, "train"))
        told = {"shares": shares, "valence_arousal": affect_data.axes_of(shares)}
        voted = affect_teachers.softened(voted, told, cfg["teacher"]["share"])
    others = []
    if cfg.get("fairface", {}).get("share", 0) > 0:
        others.append((cfg["fairface"]["share"], cfg["fairface"]["sampling_power"], affect_fairface.load(cfg, "train")))
    if cfg.get("turned", {}).get("share", 0) > 0:
        # Faces of rare expressions were turned more often already: favoured twice, a turned head would itself look rare.
        others.append((cfg["turned"]["share"], 0.0, affect_turned.load(cfg, voted)))
    groups = [(1 - sum(share for share, *_ in others), power, voted), *others]
    names = ("eyes", "shares", "valence_arousal")
    merged = {name: np.concatenate([faces[name] for *_, faces in groups]) for name in names}
    merged["voted"] = np.concatenate([faces.get("voted", faces["valence_arousal"]) for *_, faces in groups])
    merged["odds"] = np.concatenate([share * sampling_odds(faces["shares"], own) for share, own, faces in groups])
    # The pictures differ in size, so they stay a list.
    merged["image"] = [picture for *_, faces in groups for picture in faces["image"]]
    merged["places"] = voted["eyes"][~np.isnan(voted["eyes"]).any(axis=1)]
    return merged


def mixed(drawn: list[np.ndarray], concentration: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Each face laid over another one, and their targets likewise (Zhang et al., *mixup*, ICLR 2018).

    Valence and arousal may be mixed as the votes are, since they are linear in them.
    """
    share = rng.beta(concentration, concentration, len(drawn[0])).astype(np.float32)
    other = rng.permutation(len(share))
    over = lambda values, part: part * values + (1 - part) * values[other]
    return [over(values, share.reshape(-1, *[1] * (values.ndim - 1))) for values in drawn]


def new_net(cfg: dict) -> AffectNet:
    return AffectNet(**cfg["net"])


def watched(cfg: dict) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Some held-out faces of each pool."""
    pools = {}
    for pool, (views, faces) in affect_fairface.held_out(cfg).items():
        some = np.linspace(0, len(views) - 1, min(WATCHED_FACES, len(views))).round().astype(int)
        pools[pool] = views[some], {name: values[some] for name, values in faces.items()}
    return pools


def figures_of(pools: dict, net: torch.nn.Module, device: torch.device) -> dict[str, float]:
    """Figures of the uncalibrated network on each pool."""
    result = {}
    for pool, (views, faces) in pools.items():
        outputs = affect_measure.predict(net, views, device)
        outputs[2] = affect_measure.softmax(outputs[2])
        found = affect_measure.figures(outputs, faces)
        result |= {f"{pool}_{name}": found[name] for name in SCORED}
    return result


def score(found: dict[str, float]) -> float:
    """What makes one average better than another: all figures alike, but calibration, which is set afterwards."""
    return sum(value for name, value in found.items() if name.endswith(SCORED))


def fit(cfg: dict) -> None:
    """Trains, or goes on training, to `training/runs/NAME/`; `best.pt` is the average with the best figures."""
    loop.in_processes(cfg["train"].get("processes", 1), _fit, cfg)


def _fit(team: loop.Team, cfg: dict) -> None:
    seed_everything(cfg["seed"])
    cv2.setNumThreads(1)
    train_cfg = cfg["train"]
    faces = load_training(cfg)
    pools = watched(cfg) if team.rank == 0 else {}
    bounds = np.cumsum(faces["odds"] / faces["odds"].sum())
    part = train_cfg["batch"] // team.size

    net = new_net(cfg)
    if "start_from" in train_cfg:
        net.load_state_dict(torch.load(run_folder(train_cfg["start_from"]) / "best.pt", map_location="cpu"))

    def batches(first: int):
        for step in itertools.count(first):
            rng = np.random.default_rng([cfg["seed"], step, team.rank])
            chosen = np.minimum(np.searchsorted(bounds, rng.random(part)), len(bounds) - 1)
            views = affect_data.normalise(affect_data.Augmenter(cfg, rng, faces["places"]).batch(faces, chosen), cfg["input"])
            drawn = [views, *(faces[name][chosen] for name in ("shares", "valence_arousal", "voted"))]
            yield mixed(drawn, train_cfg["mixup"], rng) if rng.random() < MIXED_BATCHES and "mixup" in train_cfg else drawn

    def loss(net, batch, device):
        views, *targets = (torch.from_numpy(values).to(device) for values in batch)
        outputs = [output.float() for output in net(views.to(memory_format=torch.channels_last))]
        value = loss_of(outputs, *targets, train_cfg)
        return value, {"loss": value.item()}

    course = loop.Course(
        name=cfg["name"], seed=cfg["seed"], steps=train_cfg["steps"], epoch_steps=train_cfg["epoch_steps"],
        rate=train_cfg["learning_rate"], rise=0.1, decay=train_cfg["weight_decay"], average=train_cfg["ema_decay"],
        minutes=train_cfg.get("minutes", math.inf), bfloat16=train_cfg.get("bfloat16", False),
        compile=train_cfg.get("compile", False),
    )
    loop.fit(
        course, net, batches, loss, partial(figures_of, pools), team=team, score=score, threads=cfg["threads"],
    )
