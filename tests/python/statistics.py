"""Epoch averages and permutation tests by MNE-Python, agreement by scikit-learn and SciPy, from the data on stdin."""

import json
import sys

import mne
import numpy as np
from mne.stats import permutation_cluster_1samp_test, permutation_cluster_test, ttest_ind_no_p
from scipy import ndimage, stats
from sklearn.metrics import cohen_kappa_score

mne.set_log_level("ERROR")
asked = json.load(sys.stdin)
rate, (tmin, tmax), baseline = asked["rate_hz"], asked["window_s"], tuple(asked["baseline_s"])


# MNE corrects the baseline of data channels alone, so that ours must call themselves EEG.
def evoked(participant, condition):
    """Mean course of one participant: channels × times."""
    data = np.array([participant["valence"], participant["arousal"]], dtype=np.float64)
    raw = mne.io.RawArray(data, mne.create_info(["valence", "arousal"], rate, "eeg"))
    onsets = np.array(participant["onsets"][condition])
    events = np.column_stack([onsets, np.zeros_like(onsets), np.ones_like(onsets)])
    epochs = mne.Epochs(raw, events, tmin=tmin, tmax=tmax, baseline=baseline, preload=True, picks="eeg",
                        reject_by_annotation=False)
    return epochs.get_data().mean(axis=0), epochs.times, len(epochs)


def clusters(t, found, p_values):
    where = [c[0] if isinstance(c, tuple) else c for c in found]
    where = [np.arange(len(t))[c] for c in where]
    named = [{"from": int(w[0]), "until": int(w[-1]), "mass": float(t[w].sum()), "p": float(p)}
             for w, p in zip(where, p_values)]
    return sorted(named, key=lambda c: c["from"])


def test_1samp(rows, permutations):
    t, found, p, _ = permutation_cluster_1samp_test(rows, n_permutations=permutations, seed=1, out_type="indices",
                                                    n_jobs=1)
    return {"t": t.tolist(), "clusters": clusters(t, found, p)}


def largest_mass(t, threshold):
    masses = [0.0]
    for beyond in (t > threshold, t < -threshold):
        numbered, n = ndimage.label(beyond)
        masses += list(np.abs(ndimage.sum(t, numbered, range(1, n + 1))))
    return max(masses)


def test_groups(a, b, permutations):
    threshold = stats.t.ppf(0.975, len(a) + len(b) - 2)
    t, found, _, _ = permutation_cluster_test([a, b], threshold=threshold, stat_fun=ttest_ind_no_p, tail=0, seed=1,
                                              n_permutations=2, out_type="indices", n_jobs=1)
    # For two groups MNE takes the largest signed mass of each permutation, which suits its F and not a two-sided t:
    # the distribution is drawn here with SciPy.
    rng, rows, drawn = np.random.default_rng(1), np.concatenate([a, b]), []
    for _ in range(permutations - 1):
        order = rng.permutation(len(rows))
        drawn.append(largest_mass(stats.ttest_ind(rows[order[: len(a)]], rows[order[len(a):]]).statistic, threshold))
    p = [(1 + np.sum(np.array(drawn) >= abs(t[c[0]].sum()) * (1 - 1e-9))) / permutations for c in found]
    return {"t": t.tolist(), "clusters": clusters(t, found, p)}


means = {c: [evoked(p, c) for p in asked["participants"]] for c in ("a", "b")}
times = means["a"][0][1]
answer = {"times": times.tolist(), "kept": {c: [m[2] for m in means[c]] for c in means}}
for channel, measure in enumerate(("valence", "arousal")):
    a = np.array([m[0][channel] for m in means["a"]])
    b = np.array([m[0][channel] for m in means["b"]])
    n = len(a)
    half = stats.t.ppf(0.975, n - 1) * a.std(axis=0, ddof=1) / np.sqrt(n)
    boot = stats.bootstrap((a,), np.mean, axis=0, method="percentile", n_resamples=4000, rng=1).confidence_interval
    response = times >= -1e-9
    effect = (a - b)[:, response].mean(axis=1)
    few = asked["exact"]
    answer[measure] = {
        "participants": a.tolist(),
        "mean": a.mean(axis=0).tolist(),
        "low": (a.mean(axis=0) - half).tolist(),
        "high": (a.mean(axis=0) + half).tolist(),
        "boot_low": boot.low.tolist(),
        "boot_high": boot.high.tolist(),
        # More than there are: all of them. ("all" leaves one out.)
        "exact": test_1samp((a - b)[:few], 2**few),
        "drawn": test_1samp(a - b, 4000),
        "groups": test_groups(a[: n // 2], b[n // 2 :], 4000),
        "effect": {"difference": float(effect.mean()), "d": float(effect.mean() / effect.std(ddof=1)),
                   "interval": list(map(float, stats.ttest_1samp(effect, 0).confidence_interval()))},
    }

x, y = np.array(asked["pairs"]).T
answer["ccc"] = float(2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))
answer["correlation"] = float(stats.pearsonr(x, y).statistic)
answer["kappa"] = float(cohen_kappa_score(*asked["codes"]))
answer["versions"] = {"mne": mne.__version__, "numpy": np.__version__}
json.dump(answer, sys.stdout)
