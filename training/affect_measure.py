"""Figures for the affect network: agreement, calibration, and the calibration itself."""

from collections.abc import Callable

import numpy as np
import torch

from training import affect_data

EXPRESSIONS = affect_data.EXPRESSIONS
MAX_ACCURACY_COST = 0.01
VARIANCE_PENALTY = 0.003
MAX_SMILE_COST = 0.0025
SMILE_BIASES = np.linspace(0, 2, 81)
IS_HAPPINESS = np.array([name == "happiness" for name in EXPRESSIONS], np.float32)
AGREED = ("accuracy_8_class", "recall_happiness", "ccc_valence", "ccc_arousal", "within_one_sd_valence", "within_one_sd_arousal")
# Of Gaussian errors, 0.683 lie within one deviation. A little more is asked for, since faces of a third kind are harder.
COVERED = 0.70


def predict(net: Callable, views: np.ndarray, device: torch.device) -> list[np.ndarray]:
    """The three outputs of a network in its eval mode for `views` [n, 1, h, w]."""
    outputs = []
    with torch.no_grad():
        for start in range(0, len(views), 256):
            batch = torch.from_numpy(views[start : start + 256]).to(device)
            outputs.append([output.cpu().numpy() for output in net(batch)])
    return [np.concatenate(column) for column in zip(*outputs)]


def concordance(predicted: np.ndarray, target: np.ndarray) -> float:
    """Lin's concordance correlation coefficient: agreement in place and spread, not only in order."""
    covariance = np.mean((predicted - predicted.mean()) * (target - target.mean()))
    return float(2 * covariance / (predicted.var() + target.var() + (predicted.mean() - target.mean()) ** 2))


def calibration_error(probabilities: np.ndarray, most_voted: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error of the winning probability."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == most_voted
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for bin_number in range(bins):
        inside = number == bin_number
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)


def recalls(winner: np.ndarray, most_voted: np.ndarray) -> np.ndarray:
    """Recall of each expression; NaN where no face has it."""
    found = [np.mean(winner[most_voted == k] == k) if (most_voted == k).any() else np.nan for k in range(len(EXPRESSIONS))]
    return np.array(found)


def figures(outputs: list[np.ndarray], faces: dict[str, np.ndarray]) -> dict[str, float]:
    """All figures for outputs whose third column is probabilities."""
    valence_arousal, log_variance, probabilities = outputs
    winner = probabilities.argmax(axis=1)
    right, others = winner == faces["most_voted"], ~faces["has_majority"]
    recall = recalls(winner, faces["most_voted"])
    error = valence_arousal - faces["valence_arousal"]
    covered = np.abs(error) <= np.exp(0.5 * log_variance)
    result = {
        "accuracy_8_class": float(right.mean()),
        "accuracy_8_class_of_majority": float(right[faces["has_majority"]].mean()),
        "accuracy_8_class_of_others": float(right[others].mean()) if others.any() else np.nan,
        "mean_recall": float(np.nanmean(recall)),
        "ccc_valence": concordance(valence_arousal[:, 0], faces["valence_arousal"][:, 0]),
        "ccc_arousal": concordance(valence_arousal[:, 1], faces["valence_arousal"][:, 1]),
        "rmse_valence": float(np.sqrt(np.mean(error[:, 0] ** 2))),
        "rmse_arousal": float(np.sqrt(np.mean(error[:, 1] ** 2))),
        "calibration_error": calibration_error(probabilities, faces["most_voted"]),
        "within_one_sd_valence": float(covered[:, 0].mean()),
        "within_one_sd_arousal": float(covered[:, 1].mean()),
    }
    return result | {f"recall_{name}": float(value) for name, value in zip(EXPRESSIONS, recall)}


def by_group(outputs: list[np.ndarray], faces: dict[str, np.ndarray], columns: list[str]) -> list[dict]:
    """Agreement with the labels in each group that one of `columns` names, and of all faces first."""
    groups = [("all", "", np.ones(len(faces["most_voted"]), bool))]
    groups += [(column, value, faces[column] == value) for column in columns for value in sorted(set(faces[column]))]
    rows = []
    for column, value, chosen in groups:
        found = figures([output[chosen] for output in outputs], {name: values[chosen] for name, values in faces.items()})
        rows.append({"column": column, "value": str(value), "faces": int(chosen.sum())} | {name: found[name] for name in AGREED})
    return rows


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rarity_of(shares: np.ndarray) -> np.ndarray:
    """Of each expression: the negative log of its frequency."""
    return -np.log(shares.mean(axis=0) + 1e-4)


def calibrate(pools: list[tuple[list[np.ndarray], dict[str, np.ndarray]]]) -> dict:
    """What held-out faces say about the raw network: outputs with features, and faces, of each pool, FER+'s voted ones first.

    `class_bias` favours rare expressions by `rare_class_power` times the negative log of their frequency: as much as costs at
    most MAX_ACCURACY_COST of the accuracy on voted faces, since beyond that most faces called rare are plain neutral ones. It
    then favours happiness by `smile_bias`: as much as costs at most MAX_SMILE_COST in any pool, since a faint smile is hard to
    see at 48 px and was often voted neutral. The temperature makes the winning probability as often right as it says, on
    voted faces. The axes' scale and the stated variance serve all pools alike. The head of the variance is fitted anew: on
    faces that were trained on, errors are smaller than on others.
    """
    (_, _, raw_logits, _), faces = pools[0]
    most_voted, rarity = faces["most_voted"], rarity_of(faces["shares"])
    powers = np.linspace(0, 0.8, 17)
    accuracy = np.array([np.mean((raw_logits + power * rarity).argmax(axis=1) == most_voted) for power in powers])
    power = powers[accuracy >= accuracy.max() - MAX_ACCURACY_COST].max()
    smile = smile_bias([(outputs[2] + power * rarity, faces["most_voted"]) for outputs, faces in pools])
    class_bias = power * rarity + smile * IS_HAPPINESS
    logits = raw_logits + class_bias
    temperatures = np.exp(np.linspace(np.log(0.3), np.log(3.0), 139))
    losses = [
        -np.mean(np.log(np.take_along_axis(softmax(logits / temperature), most_voted[:, None], axis=1) + 1e-9))
        for temperature in temperatures
    ]
    scales = [axis_scale([(outputs[0][:, axis], faces["valence_arousal"][:, axis]) for outputs, faces in pools]) for axis in (0, 1)]
    errors = [
        np.stack([scaled(outputs[0][:, axis], *scale) for axis, scale in enumerate(scales)], axis=1) - faces["valence_arousal"]
        for outputs, faces in pools
    ]
    weight, bias = variance_head([(outputs[3], error) for (outputs, _), error in zip(pools, errors)])
    offsets = []
    for axis in (0, 1):
        stated = [outputs[3] @ weight[axis] + bias[axis] for outputs, _ in pools]
        standardised = [np.abs(error[:, axis]) * np.exp(-0.5 * log_variance) for error, log_variance in zip(errors, stated)]
        offsets.append(2 * np.log(covering_factor(standardised)))
    return {
        "rare_class_power": float(power),
        "smile_bias": smile,
        "class_bias": class_bias.tolist(),
        "temperature": float(temperatures[int(np.argmin(losses))]),
        "axis_factor": [factor for factor, _ in scales],
        "axis_shift": [shift for _, shift in scales],
        "log_variance_weight": weight.tolist(),
        "log_variance_bias": bias.tolist(),
        "log_variance_offset": [float(offset) for offset in offsets],
    }


def smile_bias(pools: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The largest that costs at most MAX_SMILE_COST of the accuracy in each pool of (logits, labels)."""
    def allowed(bias: float) -> bool:
        right = lambda logits, labels: np.mean(logits.argmax(axis=1) == labels)
        return all(right(logits + bias * IS_HAPPINESS, labels) >= right(logits, labels) - MAX_SMILE_COST for logits, labels in pools)

    return float(max(bias for bias in SMILE_BIASES if allowed(bias)))


def scaled(values: np.ndarray, factor: float, shift: float) -> np.ndarray:
    """An axis whose head is `factor` times as large and moved by `shift`, before its tanh."""
    return np.tanh(factor * np.arctanh(np.clip(values, -0.999, 0.999)) + shift)


def axis_scale(pools: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """The factor and shift with the least squared error, each pool of (answers, targets) counted alike."""
    def error(factor: float, shift: float) -> float:
        return float(np.mean([np.mean((scaled(found, factor, shift) - wanted) ** 2) for found, wanted in pools]))

    tried = [(factor, shift) for factor in np.linspace(0.8, 1.3, 51) for shift in np.linspace(-0.1, 0.1, 41)]
    factor, shift = min(tried, key=lambda pair: error(*pair))
    return float(factor), float(shift)


def variance_head(pools: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of the log-variance by Gaussian likelihood of the errors, each pool of (features, errors) counted alike."""
    pools = [(torch.tensor(features, dtype=torch.float64), torch.tensor(error, dtype=torch.float64)) for features, error in pools]
    together = torch.cat([features for features, _ in pools])
    mean, sd = together.mean(dim=0), together.std(dim=0) + 1e-3
    weight = torch.zeros(2, len(mean), dtype=torch.float64, requires_grad=True)
    bias = torch.full((2,), -4.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=150, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        value = VARIANCE_PENALTY * (weight**2).sum()
        for features, error in pools:
            stated = (((features - mean) / sd) @ weight.T + bias).clamp(-7, 2)
            value = value + 0.5 * (stated + error**2 * torch.exp(-stated)).sum(dim=1).mean() / len(pools)
        value.backward()
        return value

    optimiser.step(loss)
    weight = (weight / sd).detach()
    return weight.numpy().astype(np.float32), (bias.detach() - weight @ mean).numpy().astype(np.float32)


def covering_factor(standardised: list[np.ndarray]) -> float:
    """By how much stated deviations must be multiplied, so that COVERED of the errors lie within, each pool counted alike."""
    factors = np.exp(np.linspace(np.log(0.3), np.log(3.0), 461))
    share = np.mean([(errors[:, None] <= factors).mean(axis=0) for errors in standardised], axis=0)
    return float(factors[min(int(np.searchsorted(share, COVERED)), len(factors) - 1)])
