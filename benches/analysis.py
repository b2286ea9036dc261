"""The same question as benches/analysis.rs, as one would script it: every session read with pandas, epochs cut and
interpolated with NumPy, averaged within participants and then over them. One process a core."""

import json
import os
import resource
import sqlite3
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

WINDOW, BASELINE, RATE, BRIDGE = (-1.0, 4.0), (-1.0, 0.0), 30.0, 0.3
SMALLEST_PX, YAW, PITCH, DARK, BRIGHT, MOST_FAILING = 36.0, 40.0, 30.0, 0.18, 0.88, 0.25
TIMES = WINDOW[0] + np.arange(round((WINDOW[1] - WINDOW[0]) * RATE) + 1) / RATE
IN_BASELINE = (TIMES >= BASELINE[0] - 1e-9) & (TIMES <= BASELINE[1] + 1e-9)


def samples(db, stream):
    rows = pd.read_sql("SELECT at_ns, data FROM record WHERE type = 0 AND stream = (SELECT id FROM stream WHERE name = ?)"
                       " ORDER BY at_ns", db, params=(stream,))
    values = np.frombuffer(b"".join(rows["data"]), "<f4").reshape(len(rows), -1)
    return rows["at_ns"].to_numpy(), values


def cut(file):
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    participant = db.execute("SELECT participant FROM session").fetchone()[0]
    events = pd.read_sql("SELECT at_ns, data FROM record WHERE type = 1 AND kind = 'click'"
                         " AND stream = (SELECT id FROM stream WHERE name = 'page') ORDER BY at_ns", db)
    onsets = events["at_ns"][[json.loads(d)["target"] == "button#a" for d in events["data"]]].to_numpy()
    at, affect = samples(db, "affect")
    face_at, face = samples(db, "face")
    db.close()
    failing = ((face[:, 11] < SMALLEST_PX) | (abs(face[:, 5]) > YAW) | (abs(face[:, 6]) > PITCH)
               | (face[:, 12] < DARK) | (face[:, 12] > BRIGHT))
    kept, busy = [], -np.inf
    for onset in onsets:
        first, last = onset + WINDOW[0] * 1e9, onset + WINDOW[1] * 1e9
        if first < busy:
            continue
        busy = last
        if first < at[0] or last > at[-1]:
            continue
        inside = slice(np.searchsorted(at, first, "right") - 1, np.searchsorted(at, last) + 1)
        if np.diff(at[inside]).max() > BRIDGE * 1e9:
            continue
        looks = failing[np.searchsorted(face_at, first):np.searchsorted(face_at, last, "right")]
        if looks.sum() > MOST_FAILING * len(looks):
            continue
        grid = onset + np.round(TIMES * 1e9)
        epoch = np.stack([np.interp(grid - onset, at[inside] - onset, affect[inside, k]) for k in (0, 1)])
        kept.append(epoch - epoch[:, IN_BASELINE].mean(axis=1, keepdims=True))
    return participant, kept


def main():
    start = time.perf_counter()
    files = sorted(Path(sys.argv[1]).glob("sub-*/ses-*/session.sqlite"))
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(cut, files))
    courses = {name: pd.DataFrame([e[k] for _, kept in found for e in kept]) for k, name in enumerate(("valence", "arousal"))}
    who = [participant for participant, kept in found for _ in kept]
    mean = {name: table.groupby(who).mean().mean().tolist() for name, table in courses.items()}
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor_s = sum(u.ru_utime + u.ru_stime for u in used)
    print(json.dumps({"processor_s": processor_s, "seconds": time.perf_counter() - start, "processes": processes, "kept": len(who), **mean}))


if __name__ == "__main__":
    main()
