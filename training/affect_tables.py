"""Tables and sentences of the affect network's card, from the figures of the last evaluation."""

from training.affect_data import EXPRESSIONS

COMMAND = "python -m training evaluate affect"
LONDON_COMMAND = "python -m training london affect"
# What this version must reach on `is_valid`; figure, its name in the report, bound, and whether lower is better.
TARGETS = [
    ("8-class accuracy, majority label", "accuracy_8_class_of_majority", 0.88, False),
    ("8-class accuracy, label with most votes, also where no expression has a majority", "accuracy_8_class", 0.845, False),
    ("mean recall over the 8 classes", "mean_recall", 0.72, False),
    ("valence CCC with the vote-derived values", "ccc_valence", 0.90, False),
    ("arousal CCC with the vote-derived values", "ccc_arousal", 0.80, False),
    ("expected calibration error", "calibration_error", 0.03, True),
]
LONDON_TARGETS = [
    ("smiles called happiness", "smiles_called_happiness", 0.90),
    ("neutral faces called neutral", "neutrals_called_neutral", 0.97),
]
COVERED_BETWEEN = (0.60, 0.76)
POOLS = {"ferplus": "FER+, held out", "fairface": "FairFace `val`"}


def model_figures(report: dict, seen: dict) -> list[dict]:
    """The figures in `model.toml`."""
    cropped, aligned = report["as_cropped"], report["aligned_by_eyes"]
    named = {
        "accuracy_8_class_of_majority_ferplus_valid": cropped["accuracy_8_class_of_majority"],
        "accuracy_8_class_ferplus_valid": cropped["accuracy_8_class"],
        "mean_recall_ferplus_valid": cropped["mean_recall"],
        "ccc_valence_vote_derived_ferplus_valid": cropped["ccc_valence"],
        "ccc_arousal_vote_derived_ferplus_valid": cropped["ccc_arousal"],
        "calibration_error_ferplus_valid": cropped["calibration_error"],
        "accuracy_8_class_of_majority_ferplus_valid_aligned": aligned["accuracy_8_class_of_majority"],
        "accuracy_8_class_ferplus_valid_aligned": aligned["accuracy_8_class"],
        "mean_recall_ferplus_valid_aligned": aligned["mean_recall"],
        "latency_ms_one_thread": report["latency_ms"],
    }
    for row in report["by_yaw"]:
        named[f"accuracy_8_class_rendered_yaw_{row['yaw']:.0f}"] = row["accuracy_8_class"]
    for pool, found in report.get("held_out", {}).items():
        for axis in ("valence", "arousal"):
            named[f"within_one_sd_{axis}_{pool}_held_out"] = found[f"within_one_sd_{axis}"]
    if "fairface" in report:
        named["agreement_with_teachers_fairface_val"] = report["fairface"][0]["accuracy_8_class"]
    figures = [{"name": name, "value": round(value, 4), "command": COMMAND} for name, value in named.items()]
    for name in ("smiles_called_happiness", "neutrals_called_neutral", "happiness_auc"):
        figures.append({"name": f"london_{name}", "value": round(seen["this"][name], 4), "command": LONDON_COMMAND})
    return figures


def reached(value: float, bound: float, lower_is_better: bool) -> bool:
    return value <= bound if lower_is_better else value >= bound


def table(report: dict) -> str:
    """Figures of both framings beside the targets."""
    cropped, aligned = report["as_cropped"], report["aligned_by_eyes"]
    lines = [
        "| measure | as cropped | aligned by eyes | target | reached (as cropped) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for title, name, bound, lower in TARGETS:
        sign, answer = ("≤" if lower else "≥"), ("yes" if reached(cropped[name], bound, lower) else "**no**")
        lines.append(f"| {title} | {cropped[name]:.3f} | {aligned[name]:.3f} | {sign} {bound:g} | {answer} |")
    for title, name in (
        ("valence error (RMS)", "rmse_valence"),
        ("arousal error (RMS)", "rmse_arousal"),
        ("valence within ± 1 stated sd (0.68 if Gaussian)", "within_one_sd_valence"),
        ("arousal within ± 1 stated sd (0.68 if Gaussian)", "within_one_sd_arousal"),
    ):
        lines.append(f"| {title} | {cropped[name]:.3f} | {aligned[name]:.3f} | | |")
    return "\n".join(lines)


def recall_table(report: dict) -> str:
    """Recall by expression, with the number of faces behind each figure."""
    lines = ["| expression | faces | recall |", "| --- | --- | --- |"]
    for name, row in zip(EXPRESSIONS, report["confusion"]):
        lines.append(f"| {name} | {sum(row)} | {report['as_cropped'][f'recall_{name}']:.2f} |")
    return "\n".join(lines)


def figures_text(report: dict) -> str:
    """All figures, as the card shows them and `evaluate` prints them."""
    return f"""{table(report)}

{majority_text(report)}

{recall_table(report)}

Rows of the confusion matrix are the labels with most votes. Columns are predictions. The order is as above:
`{report["confusion"]}`

- Time: {report["latency_ms"]:.2f} ms on one thread, median of 1,000 runs, on a machine of two cores{earlier_time_text(report)}. Size: {report["size_mb"]:.1f} MB.
- PyTorch and ONNX differ by at most {report["torch_onnx_difference"]:.0e}{in_floats_text(report)}.
- On a recording of one person who goes from neutral to a smile, valence goes from {report["recording_valence_start"]:+.2f} to {report["recording_valence_end"]:+.2f}."""


def majority_text(report: dict) -> str:
    """The definition of a majority, and the accuracy without this restriction."""
    cropped, with_majority, all_faces = report["as_cropped"], report["faces_with_majority"], report["faces"]
    return f"""A majority is more than half of a face's votes, without single votes. FER+'s authors use this definition (`ferplus.py` and `train.py` in the folder `src` of
github.com/microsoft/FERPlus). The value 0.85 that was published with FER+ for VGG13, on FER+'s own test part, uses it too. {with_majority:,} of the {all_faces:,} faces have a majority. On
the other {all_faces - with_majority} faces, one expression has the most votes, or two share the first place. On these, the network chooses the first of them for {cropped["accuracy_8_class_of_others"]:.0%}. With them, the
accuracy is {cropped["accuracy_8_class"]:.3f}. All other figures here are on all {all_faces:,} faces."""


def in_floats_text(report: dict) -> str:
    """The effect of 8 bits on accuracy and time."""
    floats, cropped = report.get("in_floats"), report["as_cropped"]
    if floats is None:
        return ""
    pairs = ", ".join(
        f"{title} {floats[name]:.4f} ({cropped[name] - floats[name]:+.4f} in 8 bits)"
        for title, name in (("accuracy", "accuracy_8_class"), ("valence CCC", "ccc_valence"), ("arousal CCC", "ccc_arousal"))
    )
    return (
        f" where both compute in floats. The file computes in 8 bits.\n"
        f"- In floats: {pairs}; {floats['latency_ms']:.2f} ms in the same run"
    )


def earlier_time_text(report: dict) -> str:
    """The time of the network before, in the same run."""
    earlier = report.get("latency_ms_earlier")
    return "" if earlier is None else f". The network before it takes {earlier:.2f} ms in the same run"


def london_table(seen: dict) -> str:
    """The London set, this network beside the one before it."""
    lines = ["| measure | this version | the version before | target | reached |", "| --- | --- | --- | --- | --- |"]
    this, earlier = seen["this"], seen["earlier"]
    for title, name, bound in LONDON_TARGETS:
        answer = "yes" if reached(this[name], bound, False) else "**no**"
        lines.append(f"| {title} | {this[name]:.3f} | {earlier[name]:.3f} | ≥ {bound:.2f} | {answer} |")
    for title, name in (
        ("smiling or neutral by the share of happiness, area under the curve", "happiness_auc"),
        ("smiling or neutral by valence, area under the curve", "valence_auc"),
        ("mean valence of smiling faces", "valence_smiling"),
        ("mean valence of neutral faces", "valence_neutral"),
    ):
        lines.append(f"| {title} | {this[name]:.3f} | {earlier[name]:.3f} | | |")
    return "\n".join(lines)


def held_out_table(report: dict) -> str:
    """Both pools' held-out faces, this network beside the one before it."""
    lines = [
        "| held-out faces | network | accuracy | valence CCC | arousal CCC | valence within ± 1 sd | arousal within ± 1 sd |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    names = ("accuracy_8_class", "ccc_valence", "ccc_arousal", "within_one_sd_valence", "within_one_sd_arousal")
    for pool, title in POOLS.items():
        for network, key in (("this version", "held_out"), ("the version before", "held_out_earlier")):
            values = " | ".join(f"{report[key][pool][name]:.3f}" for name in names)
            lines.append(f"| {title} | {network} | {values} |")
    return "\n".join(lines)


def group_table(report: dict) -> str:
    """Agreement with the teachers on FairFace `val`, by group."""
    lines = [
        "| group | faces | expression | happiness recalled | valence CCC | arousal CCC |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in report["fairface"]:
        values = " | ".join(f"{row[name]:.3f}" for name in ("accuracy_8_class", "recall_happiness", "ccc_valence", "ccc_arousal"))
        lines.append(f"| {row['value'] or 'all'} | {row['faces']:,} | {values} |")
    return "\n".join(lines)


def yaw_loss(report: dict) -> float:
    """Loss of accuracy from yaw 0° to 30°, both rendered."""
    accuracy = {row["yaw"]: row["accuracy_8_class"] for row in report["by_yaw"]}
    return accuracy[0] - accuracy[30]


def yaw_table(report: dict) -> str:
    """One row for each rendered yaw."""
    lines = ["| yaw | accuracy | valence CCC | arousal CCC |", "| --- | --- | --- | --- |"]
    for row in report["by_yaw"]:
        figures = " | ".join(f"{row[name]:.3f}" for name in ("accuracy_8_class", "ccc_valence", "ccc_arousal"))
        lines.append(f"| {row['yaw']:.0f}° | {figures} |")
    return "\n".join(lines)


def missing(report: dict, seen: dict) -> str:
    """The targets not yet reached, by name and number."""
    lines = [
        f"- {title}: {report['as_cropped'][name]:.3f}, target {'≤' if lower else '≥'} {bound:g}."
        for title, name, bound, lower in TARGETS
        if not reached(report["as_cropped"][name], bound, lower)
    ]
    lines += [
        f"- London set, {title}: {seen['this'][name]:.3f}, target ≥ {bound:.2f}."
        for title, name, bound in LONDON_TARGETS
        if not reached(seen["this"][name], bound, False)
    ]
    low, high = COVERED_BETWEEN
    for pool, found in report.get("held_out", {}).items():
        for axis in ("valence", "arousal"):
            share = found[f"within_one_sd_{axis}"]
            if not low <= share <= high:
                lines.append(f"- {POOLS[pool]}, {axis} within ± 1 stated sd: {share:.3f}, target {low:.2f} to {high:.2f}.")
    return "\n".join(lines) or "Nothing."
