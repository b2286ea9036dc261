"""Loads an XDF file with pyxdf's defaults and prints what it holds as JSON."""

import json
import sys

import numpy
import pyxdf


def values(series):
    if isinstance(series, list):
        return series
    # JSON has no NaN; float32 becomes the double of the same value.
    return [[float(v) if numpy.isfinite(v) else None for v in row] for row in series]


streams, header = pyxdf.load_xdf(json.load(sys.stdin))
out = {}
for stream in streams:
    info, footer = stream["info"], stream["footer"]["info"]
    channels = info["desc"][0]["channels"][0]["channel"]
    out[info["name"][0]] = {
        "times": [float(t) for t in stream["time_stamps"]],
        "values": values(stream["time_series"]),
        "labels": [c["label"][0] for c in channels],
        "clock_offsets": len(stream["clock_times"]),
        "footer_samples": footer["sample_count"][0],
    }
json.dump({"version": header["info"]["version"][0], "streams": out}, sys.stdout)
