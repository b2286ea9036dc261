"""Receives streams of Lab Streaming Layer until standard input is closed, and prints what came as JSON.

Standard input: a JSON line with the names. Prints "ready" when all are found and open.
"""

import json
import sys
import threading
import time

import pylsl
import pylsl.util

names = json.loads(sys.stdin.readline())
inlets = {}
deadline = time.time() + 60
while len(inlets) < len(names):
    if time.time() > deadline:
        sys.exit(f"found only {list(inlets)}")
    for info in pylsl.resolve_streams(1.0):
        if info.name() in names and info.name() not in inlets:
            # Without recovery: the streams end with the recording.
            inlet = pylsl.StreamInlet(info, recover=False)
            inlet.open_stream(10)
            inlets[info.name()] = inlet
print("ready", flush=True)

is_over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
got = {name: {"stamps": [], "rows": [], "labels": inlets[name].info(10).get_channel_labels()} for name in names}
lost = set()
while not is_over.is_set() and len(lost) < len(names):
    for name, inlet in inlets.items():
        if name in lost:
            continue
        try:
            rows, stamps = inlet.pull_chunk(timeout=0.0)
        except pylsl.util.LostError:
            lost.add(name)
            continue
        got[name]["rows"] += rows
        got[name]["stamps"] += stamps
    time.sleep(0.01)
print(json.dumps(got), flush=True)
