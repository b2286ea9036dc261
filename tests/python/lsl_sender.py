"""Sends streams of Lab Streaming Layer with known content. The plan is JSON in the first argument.

formats: one stream of each number format, 50 samples, sent when each stream has a receiver.
steady:  `channels` x `rate_hz` float32 with the stamps first, first + 1/rate ..., and a stream of markers if `marks` is true.
         Starts when each stream has a receiver. `seconds`: how long. `utc`: the stamps are Unix time.
Prints what was sent as one JSON line, and ends when standard input is closed.
"""

import json
import sys
import time

import pylsl


# An outlet that nothing refers to is destroyed, and what it has not sent yet is lost.
kept = []


def outlet(name, kind, channels, rate_hz, form, source_id, unit="microvolts"):
    info = pylsl.StreamInfo(name, kind, channels, rate_hz, form, source_id)
    described = info.desc().append_child("channels")
    for k in range(channels):
        channel = described.append_child("channel")
        channel.append_child_value("label", f"C{k + 1}")
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", kind)
    kept.append(pylsl.StreamOutlet(info, chunk_size=0, max_buffered=60))
    return kept[-1]


def wait(outlets, seconds=60):
    for each in outlets:
        if not each.wait_for_consumers(seconds):
            sys.exit("nobody receives")


def formats():
    whole = {"int8": 7, "int16": 15, "int32": 31, "int64": 47}
    sent = {}
    outlets = {}
    for form in ["float32", "double64", "string", "int32", "int16", "int8", "int64"]:
        outlets[form] = outlet(f"T_{form}", "Test", 2, 0.0, form, f"test-{form}")
    print("ready", flush=True)
    wait(outlets.values())
    for form, out in outlets.items():
        rows, stamps = [], []
        for k in range(50):
            if form == "string":
                row = [f"m\u00fc {k}", "x" * k]
            elif form in whole:
                most = 2 ** whole[form] - 1
                row = [most - k, -most + k]
            elif form == "float32":
                row = [k / 8, -1e30]
            else:
                row = [k / 10, -1e-9 * k]
            stamp = pylsl.local_clock()
            out.push_sample(row, stamp)
            rows.append(row)
            stamps.append(stamp)
        sent[f"T_{form}"] = {"rows": rows, "stamps": stamps}
    return sent


def steady(plan):
    name, rate_hz = plan["name"], plan["rate_hz"]
    source = plan.get("source_id", name)
    data = outlet(name, "EEG", plan["channels"], rate_hz, "float32", source, plan.get("unit", "microvolts"))
    marks = outlet(f"{name} marks", "Markers", 1, 0.0, "string", f"{source} marks") if plan.get("marks") else None
    print("ready", flush=True)
    wait([data] + ([marks] if marks else []))
    clock = time.time if plan.get("utc") else pylsl.local_clock
    first, mark_stamps = clock(), []
    count = int(plan["seconds"] * rate_hz)
    sent = 0
    while sent < count:
        due = min(count, int((clock() - first) * rate_hz))
        while sent < due:
            row = [sent + 0.25 * c for c in range(plan["channels"])]
            data.push_sample(row, first + sent / rate_hz)
            sent += 1
            if marks and sent % int(rate_hz / 4) == 0:
                mark_stamps.append(first + sent / rate_hz)
                marks.push_sample([f"mark {len(mark_stamps)}"], mark_stamps[-1])
        time.sleep(0.004)
    return {"first": first, "count": count, "marks": mark_stamps}


plan = json.loads(sys.argv[1])
print(json.dumps(formats() if plan["mode"] == "formats" else steady(plan)), flush=True)
sys.stdin.read()
