"""What each part of the affect network's recipe is worth: short runs of one length, each with one thing left out.

Judged on the held-out faces, since choosing by `is_valid` would spoil it. Short runs understate what regularisation
gains and overstate what speed gains; the table says which way a part pulls, not how far.
"""

import json

from training import affect_fit
from training.common import load_checkpoint, run_folder

SHOWN = ("accuracy_8_class", "mean_recall", "ccc_valence", "ccc_arousal")


def with_changes(base: dict, changes: dict) -> dict:
    """`base` with the values of `changes` in their places, tables within tables."""
    result = dict(base)
    for name, value in changes.items():
        result[name] = with_changes(base.get(name, {}), value) if isinstance(value, dict) else value
    return result


def ablate(cfg: dict) -> None:
    """Trains every variant that is not trained yet, or not to the end, and prints the table."""
    rows = []
    for variant in cfg["variant"]:
        variant_cfg = with_changes(cfg, variant.get("changes", {})) | {"name": f"{cfg['name']}/{variant['name']}"}
        affect_fit.fit(variant_cfg)
        state = load_checkpoint(run_folder(variant_cfg["name"]) / "checkpoint.pt", restore_random=False)
        last = state["rows"][-1]
        rows.append({"what": variant["what"], "steps": state["step"]} | {name: last[name] for name in SHOWN})
    (run_folder(cfg["name"]) / "ablation.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


def table(rows: list[dict]) -> str:
    lines = [
        "| variant | accuracy | mean recall | valence CCC | arousal CCC |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {row['what']} | " + " | ".join(f"{row[name]:.3f}" for name in SHOWN) + " |" for row in rows]
    return "\n".join(lines)
