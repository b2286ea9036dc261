"""The actions network's verbs. What each means is in the modules beside: data, net, fit, evaluate."""

from . import actions_evaluate, actions_export, actions_fit, actions_render, fairface
from .affect import show_progress


def prepare(cfg: dict) -> None:
    """Labels FairFace's adults, then renders heads. Continues where it was stopped."""
    if "fairface" in cfg:
        fairface.prepare(cfg.get("pictures"), cfg["fairface"].get("parts"), show_progress("FairFace: parts labelled"))
    actions_render.prepare(cfg["renders"]["count"], cfg["renders"]["seed"], show_progress("heads: parts rendered"))


def train(cfg: dict) -> None:
    actions_fit.fit(cfg)


def evaluate(cfg: dict) -> None:
    for name, value in actions_evaluate.evaluate(cfg).items():
        print(f"{name:45} {value if isinstance(value, str) else format(value, '.4g')}")


def export(cfg: dict) -> None:
    """Writes the model folder and the parity fixture of the checkpoint that `evaluate` measured."""
    actions_export.write(cfg)
