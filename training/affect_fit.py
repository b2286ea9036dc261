"""Fitting the affect network: loss, sampling, schedule, and a run that can be killed and resumed."""

import itertools
import math

import cv2
import numpy as np
import torch
from torch.nn import functional

from training import affect_data, affect_measure, affect_pseudo, affect_teachers, affect_turned, affect_widen, loop
from training.affect_net import AffectNet
from training.common import run_folder, seed_everything

MSE_WEIGHT = 3.0
CONCORDANCE_WEIGHT = 0.5
VARIANCE_WEIGHT = 0.2
# The rest of the batches shows faces as they are, of which the stated uncertainty is learned.
MIXED_BATCHES = 0.5


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
    """All faces to train on, with `odds` of being drawn: voted faces, and shares of pseudo-labelled and turned ones."""
    power = cfg["train"]["sampling_power"]
    # Faces of rare expressions were turned more often already: favoured twice, a turned head would itself look rare.
    others = [
        (cfg[part]["share"], own_power, load(cfg))
        for part, own_power, load in (("muxspace", power, affect_pseudo.load_pseudo), ("turned", 0.0, affect_turned.load))
        if cfg.get(part, {}).get("share", 0) > 0
    ]
    voted = affect_data.load_part(cfg, "train")
    if "teachers" in cfg:
        kept = affect_data.ferplus_cache(cfg)
        told = affect_teachers.answers(cfg["teachers"]["names"], voted, [False, True], kept)
        voted = affect_teachers.softened(voted, told, cfg["teachers"]["share"])
    groups = [(1 - sum(share for share, *_ in others), power, voted), *others]
    names = ("eyes", "shares", "valence_arousal")
    merged = {name: np.concatenate([faces[name] for *_, faces in groups]) for name in names}
    if cfg["train"].get("hard_labels", False):
        merged["shares"] = np.eye(len(affect_data.EXPRESSIONS), dtype=np.float32)[merged["shares"].argmax(axis=1)]
    merged["odds"] = np.concatenate([share * sampling_odds(faces["shares"], own) for share, own, faces in groups])
    # The pictures differ in size, so they stay a list.
    merged["image"] = [picture for *_, faces in groups for picture in faces["image"]]
    merged["voted"] = len(voted["eyes"])
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


def holdout_figures(net: torch.nn.Module, views: np.ndarray, holdout: dict, device: torch.device) -> dict[str, float]:
    """Figures of the uncalibrated network on the held-out faces."""
    outputs = affect_measure.predict(net, views, device)
    outputs[2] = affect_measure.softmax(outputs[2])
    names = ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal", "calibration_error")
    found = affect_measure.figures(outputs, holdout)
    return {name: found[name] for name in names}


def score(found: dict[str, float]) -> float:
    """What makes one average better than another: all figures alike, but calibration, which is set afterwards."""
    return sum(found[name] for name in ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal"))


def fit(cfg: dict) -> None:
    """Trains, or goes on training, to `training/runs/NAME/`; `best.pt` is the average with the best figures."""
    loop.in_processes(cfg["train"].get("processes", 1), _fit, cfg)


def _fit(team: loop.Team, cfg: dict) -> None:
    seed_everything(cfg["seed"])
    cv2.setNumThreads(1)
    train_cfg = cfg["train"]
    faces = load_training(cfg)
    holdout = affect_data.load_part(cfg, "holdout")
    holdout_views = affect_data.eval_views(holdout, cfg["input"], aligned=False)
    bounds = np.cumsum(faces["odds"] / faces["odds"].sum())
    part = train_cfg["batch"] // team.size

    net = new_net(cfg)
    if "start_from" in train_cfg:
        weights = torch.load(run_folder(train_cfg["start_from"]) / "best.pt", map_location="cpu")
        net = affect_widen.started(cfg["net"], weights, cfg["seed"])

    def batches(first: int):
        for step in itertools.count(first):
            rng = np.random.default_rng([cfg["seed"], step, team.rank])
            chosen = np.minimum(np.searchsorted(bounds, rng.random(part)), len(bounds) - 1)
            views = affect_data.normalise(affect_data.Augmenter(cfg, rng).batch(faces, chosen), cfg["input"])
            drawn = [views, faces["shares"][chosen], faces["valence_arousal"][chosen]]
            yield mixed(drawn, train_cfg["mixup"], rng) if rng.random() < MIXED_BATCHES and "mixup" in train_cfg else drawn

    def loss(net, batch, device):
        views, *targets = (torch.from_numpy(values).to(device) for values in batch)
        outputs = [output.float() for output in net(views.to(memory_format=torch.channels_last))]
        value = loss_of(outputs, *targets, train_cfg)
        return value, {"loss": value.item()}

    epoch_steps = faces["voted"] // train_cfg["batch"]
    course = loop.Course(
        name=cfg["name"], seed=cfg["seed"], steps=train_cfg["epochs"] * epoch_steps, epoch_steps=epoch_steps,
        rate=train_cfg["learning_rate"], rise=0.1, decay=train_cfg["weight_decay"], average=train_cfg["ema_decay"],
        minutes=train_cfg.get("minutes", math.inf), bfloat16=train_cfg.get("bfloat16", False),
        compile=train_cfg.get("compile", False),
    )
    loop.fit(
        course, net, batches, loss, lambda net, device: holdout_figures(net, holdout_views, holdout, device),
        team=team, score=score, threads=cfg["threads"],
    )
