"""The actions network's verbs. What each means is in the modules beside: data, net, fit, evaluate."""

from . import actions_render, fairface
from .affect import show_progress


def prepare(cfg: dict) -> None:
    """Labels FairFace's adults, then renders heads. Continues where it was stopped."""
    if "fairface" in cfg:
        fairface.prepare(cfg.get("pictures"), cfg["fairface"].get("parts"), show_progress("FairFace: parts labelled"))
    actions_render.prepare(cfg["renders"]["count"], cfg["renders"]["seed"], show_progress("heads: parts rendered"))
