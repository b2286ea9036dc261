"""Figures for the affect network: agreement, calibration, and the calibration itself."""

from collections.abc import Callable

import numpy as np
import torch

from training import affect_data

EXPRESSIONS = affect_data.EXPRESSIONS
MAX_ACCURACY_COST = 0.01


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
    right = winner == faces["most_voted"]
    recall = recalls(winner, faces["most_voted"])
    error = valence_arousal - faces["valence_arousal"]
    covered = np.abs(error) <= np.exp(0.5 * log_variance)
    result = {
        "accuracy_8_class": float(right.mean()),
        "accuracy_8_class_of_majority": float(right[faces["has_majority"]].mean()),
        "accuracy_8_class_of_others": float(right[~faces["has_majority"]].mean()),
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


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def calibrate(outputs: list[np.ndarray], faces: dict[str, np.ndarray]) -> dict:
    """What the held-out faces say about the raw network's bias, temperature and uncertainty.

    `class_bias` favours rare expressions by `rare_class_power` times the negative log of their
    frequency: as much as costs at most MAX_ACCURACY_COST of the accuracy, since beyond that most
    faces called rare are plain neutral ones. The temperature then makes the winning probability as
    often right as it says; the log-variance offset makes the stated variance right on average.
    """
    valence_arousal, log_variance, raw_logits = outputs
    most_voted = faces["most_voted"]
    rarity = -np.log(faces["shares"].mean(axis=0) + 1e-4)

    powers = np.linspace(0, 0.8, 17)
    accuracy = np.array([np.mean((raw_logits + power * rarity).argmax(axis=1) == most_voted) for power in powers])
    power = powers[accuracy >= accuracy.max() - MAX_ACCURACY_COST].max()
    logits = raw_logits + power * rarity
    temperatures = np.exp(np.linspace(np.log(0.3), np.log(3.0), 139))
    losses = [
        -np.mean(np.log(np.take_along_axis(softmax(logits / temperature), most_voted[:, None], axis=1) + 1e-9))
        for temperature in temperatures
    ]
    squared = (valence_arousal - faces["valence_arousal"]) ** 2
    return {
        "rare_class_power": float(power),
        "class_bias": (power * rarity).tolist(),
        "temperature": float(temperatures[int(np.argmin(losses))]),
        "log_variance_offset": np.log(np.mean(squared / np.exp(log_variance), axis=0)).tolist(),
    }
