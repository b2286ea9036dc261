"""Fitting the actions network: loss, figures for the curve, and a run that can be stopped and resumed."""

import numpy as np
import torch
from torch.nn import functional

from . import actions_data, loop, shipping
from .actions_data import ACTION_COLUMNS, CLOSURE_COLUMNS, GAZE_COLUMNS, POSE_COLUMNS
from .actions_net import SIZE_PX, ActionsNet, ShippedActionsNet
from .common import seed_everything

OUTPUTS = ["actions", "closure", "gaze", "pose"]
PHOTOGRAPH_GAZE_WEIGHT = 0.25
QUICK_FACES = 800
# How many training faces of each pool say how large the numbers inside the network get.
RANGED_FACES = 200


def build_net(cfg: dict) -> ActionsNet:
    return ActionsNet(**cfg["net"])


def loss_parts(outputs, targets: torch.Tensor, is_photograph: torch.Tensor, action_scale: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mean losses of each head over the labels that are known."""
    actions, closure, gaze, pose = (output.float() for output in outputs)
    # Each action counts relative to how much it varies in photographs.
    off, known = difference(actions, targets[:, ACTION_COLUMNS])
    off = off / action_scale
    # Rendered actions are exact, but their scale is not MediaPipe's: they count less.
    weight = torch.where(is_photograph, 1.0, 0.3)[:, None]
    parts = {"actions": (functional.smooth_l1_loss(off, torch.zeros_like(off), reduction="none") * weight).sum() / known.sum().clamp_min(1)}
    parts["order"] = order_loss(actions[is_photograph], targets[is_photograph, ACTION_COLUMNS])
    off, known = difference(closure, targets[:, CLOSURE_COLUMNS])
    parts["closure"] = _mean(off**2, known)
    off, known = difference(gaze, targets[:, GAZE_COLUMNS])
    parts["gaze"] = _mean(_rounded(off / 10), known * torch.where(is_photograph, PHOTOGRAPH_GAZE_WEIGHT, 1.0)[:, None])
    off, known = difference(pose, targets[:, POSE_COLUMNS])
    parts["pose"] = _mean(_rounded(off / 10), known)
    return parts


def difference(found: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What was found minus what is wanted, 0 where that is unknown, and where it is known as 1."""
    known = ~torch.isnan(wanted)
    # NaN is taken out before any arithmetic: times a gradient of 0 it would still be NaN.
    return torch.where(known, found - torch.nan_to_num(wanted), 0.0), known.float()


def order_loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """One minus the correlation over the batch, mean over the actions that vary in it."""
    varies = ~torch.isnan(wanted).any(dim=0)
    varies &= torch.nan_to_num(wanted).std(dim=0) > 1e-3
    if not varies.any() or len(found) < 3:
        return found.sum() * 0
    found, wanted = found[:, varies] - found[:, varies].mean(0), wanted[:, varies] - wanted[:, varies].mean(0)
    lengths = ((found**2).sum(0) * (wanted**2).sum(0) + 1e-8).sqrt()
    return (1 - (found * wanted).sum(0) / lengths).mean()


def _rounded(off: torch.Tensor) -> torch.Tensor:
    return torch.where(off.abs() < 0.3, off**2 / 0.6, off.abs() - 0.15)


def _mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1)


WEIGHTS = {"actions": 1.0, "order": 0.5, "closure": 6.0, "gaze": 1.5, "pose": 1.5}


def predict(net: torch.nn.Module, views: np.ndarray, device: torch.device = torch.device("cpu")) -> list[np.ndarray]:
    with torch.no_grad():
        rows = [[output.cpu().numpy() for output in net(torch.from_numpy(views[k : k + 128]).to(device))] for k in range(0, len(views), 128)]
    return [np.concatenate(column) for column in zip(*rows)]


def fit(cfg: dict) -> None:
    """Trains, or goes on training, to `training/runs/NAME/`; the checkpoint's average is the result."""
    seed_everything(cfg["seed"])
    train_cfg = cfg["train"] | {"seed": cfg["seed"], "name": cfg["name"], "augment": cfg["augment"], "workers": cfg["workers"]}
    batches = actions_data.Batches(train_cfg)
    spread = np.nan_to_num(batches.photographs["targets"][:, ACTION_COLUMNS].std(axis=0))
    scale = torch.from_numpy(np.maximum(spread, 0.06).astype(np.float32))
    quick = {"photographs": actions_data.photographs("val"), "renders": actions_data.renders(held_out=True)}
    quick = {pool: {name: faces[name][:QUICK_FACES] for name in ("image", "alpha", "targets") if name in faces} for pool, faces in quick.items()}
    views = {pool: actions_data.plain_views(faces["image"], faces.get("alpha")) for pool, faces in quick.items()}

    def loss(net, batch, device):
        pictures, targets, is_photograph = (torch.as_tensor(part).to(device) for part in batch)
        parts = loss_parts(net(pictures.to(memory_format=torch.channels_last)), targets, is_photograph, scale.to(device))
        return sum(WEIGHTS[name] * part for name, part in parts.items()), {name: part.item() for name, part in parts.items()}

    def measure(net, device):
        answers = {pool: predict(net, views[pool], device) for pool in views}
        seen, drawn = quick["photographs"]["targets"], quick["renders"]["targets"]
        off = np.abs(answers["renders"][2] - drawn[:, GAZE_COLUMNS])
        return {
            "actions_r": float(np.nanmean(correlations(answers["photographs"][0], seen[:, ACTION_COLUMNS]))),
            "gaze_deg": float(np.nanmean(off)),
            "pose_deg": float(np.nanmean(np.abs(answers["renders"][3] - drawn[:, POSE_COLUMNS]))),
            "closure_err": float(np.nanmean(np.abs(answers["renders"][1] - drawn[:, CLOSURE_COLUMNS]))),
        }

    loop.fit(loop.course_of(train_cfg), build_net(cfg), loop.drawn_ahead(batches, train_cfg), loss, measure, threads=cfg["threads"])


def shipped(cfg: dict) -> tuple[torch.nn.Module, bytes, bytes]:
    """The average of the last checkpoint, folded and with weights of 16 bits; the file that ships, with convolutions in 8
    bits; and the same network in floats."""
    net = loop.trained(cfg["name"], build_net(cfg))
    net = ShippedActionsNet(shipping.round_weights(shipping.fold_batch_norm(net))).eval()
    floats = shipping.to_onnx(net, torch.zeros(1, 1, SIZE_PX, SIZE_PX), "face", OUTPUTS)
    faces, drawn = actions_data.photographs("train"), actions_data.renders(held_out=False)
    views = [
        actions_data.plain_views(faces["image"][:RANGED_FACES]),
        actions_data.plain_views(drawn["image"][:RANGED_FACES], drawn["alpha"][:RANGED_FACES]),
    ]
    return net, shipping.quantised(floats, "face", np.concatenate(views), head_in_floats=True), floats


def run_onnx(onnx_bytes: bytes, views: np.ndarray) -> list[np.ndarray]:
    """The file's outputs, one face at a time on one thread, as the program runs it."""
    net = shipping.OnnxNet(onnx_bytes)
    rows = [net(view[None]) for view in views]
    return [np.concatenate(column) for column in zip(*rows)]


def correlations(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pearson's r of each column; NaN where one of them does not vary."""
    found, wanted = found - found.mean(0), wanted - wanted.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (found * wanted).sum(0) / np.sqrt((found**2).sum(0) * (wanted**2).sum(0))
