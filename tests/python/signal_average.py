"""Epoch averages of one signal by MNE-Python, from the data on stdin."""

import json
import sys

import mne
import numpy as np

mne.set_log_level("ERROR")
asked = json.load(sys.stdin)
(tmin, tmax), baseline = asked["window_s"], tuple(asked["baseline_s"])


# MNE corrects the baseline of data channels alone, so that ours must call itself EEG.
def average(participant):
    data = np.array([participant["values"]], dtype=np.float64)
    raw = mne.io.RawArray(data, mne.create_info(["signal"], asked["rate_hz"], "eeg"))
    onsets = np.array(participant["onsets"])
    events = np.column_stack([onsets, np.zeros_like(onsets), np.ones_like(onsets)])
    return mne.Epochs(raw, events, tmin=tmin, tmax=tmax, baseline=baseline, preload=True, picks="eeg").average()


averages = [average(participant) for participant in asked["participants"]]
json.dump(
    {
        "times": averages[0].times.tolist(),
        "averages": [a.get_data()[0].tolist() for a in averages],
        "kept": [a.nave for a in averages],
        "version": mne.__version__,
    },
    sys.stdout,
)
