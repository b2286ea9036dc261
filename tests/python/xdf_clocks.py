"""Writes XDF files as recorders write them on good and on bad days, and says of each where pyxdf sees the events and where
they truly were: {name: {"truth": [[seconds, kind], ...] or null, "pyxdf": the same, or the reason why it cannot read it}}.

The recorder's clock counts from 0; a stream's clock shows recorder time plus something."""

import json
import logging
import random
import struct
import sys
from pathlib import Path

import pyxdf

logging.disable(logging.CRITICAL)
task = json.load(sys.stdin)
folder = Path(task["folder"])
UUID = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
NUMBERS = {"int8": "<b", "int16": "<h", "int32": "<i", "int64": "<q", "float32": "<f", "double64": "<d"}


def chunk(tag, content):
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def header(stream=1, name="Stim", kind="string", rate=0):
    xml = (
        f"<?xml version='1.0'?><info><name>{name}</name><type>Markers</type><channel_count>1</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>{kind}</channel_format></info>"
    )
    return chunk(2, struct.pack("<I", stream) + xml.encode())


def footer(count, stream=1):
    xml = f"<?xml version='1.0'?><info><sample_count>{count}</sample_count></info>"
    return chunk(6, struct.pack("<I", stream) + xml.encode())


def offset(at, value, stream=1):
    return chunk(4, struct.pack("<Idd", stream, at, value))


def sample(at, value, kind="string", stream=1):
    stamp = b"\0" if at is None else b"\x08" + struct.pack("<d", at)
    if kind == "string":
        value = b"\x04" + struct.pack("<I", len(value.encode())) + value.encode()
    else:
        value = struct.pack(NUMBERS[kind], value)
    return chunk(3, struct.pack("<I", stream) + b"\x01\x01" + stamp + value)


def file(*chunks):
    return b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>") + b"".join(chunks)


def events(clock, until, every=7.3, begin=1.9):
    times = [begin + every * k for k in range(int((until - begin) / every) + 1)]
    truth = [(t, f"event {k}") for k, t in enumerate(times)]
    return truth, b"".join(sample(clock(t), kind) for t, kind in truth)


def measured(clock, until, noise=lambda k: 0.0, every=5.0):
    """What a recorder measures: its time, and what is to be added to the stream's clock."""
    times = [every * k for k in range(int(until / every) + 1)]
    return [(clock(t) - noise(k), t - clock(t) + noise(k)) for k, t in enumerate(times)]


def stream(clock, until, noise=lambda k: 0.0, change=lambda pairs: pairs):
    truth, samples = events(clock, until)
    pairs = change(measured(clock, until, noise))
    return truth, file(header(), b"".join(offset(*pair) for pair in pairs), samples)


def interleaved(clock, until):
    truth, _ = events(clock, until)
    parts = [(t, offset(clock(t), t - clock(t))) for t in (5.0 * k for k in range(int(until / 5) + 1))]
    parts += [(t, sample(clock(t), kind)) for t, kind in truth]
    return truth, file(header(), *(content for _, content in sorted(parts)))


def wild(k, by, moves_its_time):
    def change(pairs):
        at, value = pairs[k]
        pairs[k] = (at - by if moves_its_time else at, value + by)
        return pairs

    return change


def drifting(ppm, shift=1000.0):
    return lambda t: t * (1 + ppm * 1e-6) + shift


def jumps(*changes):
    """(from when, by how much) ..."""
    return lambda t: t + 1000.0 + sum(by for begin, by in changes if t >= begin)


rng = random.Random(12)
gauss = [rng.gauss(0, 0.001) for _ in range(2000)]
busy = [abs(rng.gauss(0, 0.0003)) + (rng.uniform(0, 0.03) if rng.random() < 0.1 else 0) for _ in range(2000)]
steady = drifting(40)


def regular(rate, jitter):
    truth = [(1.0 + k / rate, f"event {k}") for k in range(200)]
    samples = b"".join(sample(steady(t) + jitter[k], kind) for k, (t, kind) in enumerate(truth))
    return truth, file(header(rate=rate), b"".join(offset(*p) for p in measured(steady, 40)), samples)


def promised_rate():
    truth = [(2 + 1.5 * k + rng.uniform(0, 1.4), f"event {k}") for k in range(150)]
    samples = b"".join(sample(steady(t), kind) for t, kind in truth)
    return truth, file(header(rate=50), b"".join(offset(*p) for p in measured(steady, 300)), samples)


def deduced():
    truth = [(10 + k * 0.25, f"event {k}") for k in range(8)]
    return truth, file(header(rate=4), *(sample(10.0 if k == 0 else None, kind) for k, (_, kind) in enumerate(truth)))


def numbers():
    values = {"int8": -3, "int16": 300, "int32": 70000, "int64": 2**53 + 1, "float32": 2.5, "double64": 0.1}
    truth, chunks = [], []
    for k, (kind, value) in enumerate(values.items()):
        truth.append((1.0 + k, str(value)))
        chunks += [header(k, kind, kind), sample(1.0 + k, value, kind, k)]
    return truth, file(*chunks)


def two_computers():
    first, second = drifting(-80, 5e5), drifting(120, 1.7e9)
    truth, chunks = [], [header(1, "A"), header(2, "B")]
    for number, clock in [(1, first), (2, second)]:
        chunks += [offset(*pair, number) for pair in measured(clock, 600, lambda k: gauss[k] / 10)]
        own = [(3.0 + 11 * k + number, f"stream {number} event {k}") for k in range(50)]
        truth += own
        chunks += [sample(clock(t), kind, stream=number) for t, kind in own]
    return sorted(truth), file(*chunks)


def outlet_closed():
    truth, samples = events(steady, 300)
    pairs = [offset(*p) for p in measured(steady, 300, lambda k: gauss[k])]
    return truth, file(header(), *pairs, samples, sample(7e8, "nobody sent this"), offset(7e8, -6e8), footer(len(truth)))


def unresolvable():
    # 50 s back after ten minutes, one event whose time the clock showed twice, and all offsets before all samples.
    clock = jumps((600, -50))
    pairs = b"".join(offset(*p) for p in measured(clock, 1200))
    return None, file(header(), pairs, sample(1570.0, "before or after?"))


def rubbish():
    truth, _ = events(steady, 60)
    chunks = [header()] + [offset(*p) for p in measured(steady, 60)]
    for k, (t, kind) in enumerate(truth):
        chunks += [sample(steady(t), kind), chunk(5, UUID), bytes(rng.randrange(256) for _ in range(30)) if k == 3 else b""]
        chunks += [chunk(5, UUID)]
    return truth, file(*chunks)


hour = 3600
cases = {
    "one clock": stream(drifting(0, 0), 300),
    "drift": stream(drifting(-150), hour),
    "drift with 1 ms of noise": stream(drifting(40), hour, lambda k: gauss[k]),
    "a busy network": stream(drifting(40), hour, lambda k: -busy[k]),
    "seconds since 1970": stream(drifting(25, 1.7e9), 600, lambda k: gauss[k] / 10),
    "restarted": stream(lambda t: t + 1000 if t < 603 else t - 600, 1200),
    "restarted twice": stream(lambda t: t + 9000 if t < 403 else t + 4000 if t < 802 else t - 790, 1200),
    "set forward by 50 s in an hour": stream(jumps((1802, 50)), hour),
    "set forward by 8 s in an hour": stream(jumps((1802, 8)), hour),
    "two offsets": stream(drifting(40), 9),
    "one offset": stream(drifting(0), 4),
    "no offsets": (events(drifting(0, 0), 60)[0], file(header(), events(drifting(0, 0), 60)[1])),
    "two computers": two_computers(),
    "regular words": regular(10, [g * 2 for g in gauss]),
    "times that are deduced": deduced(),
    "numbers": numbers(),
    "an outlet that closed": outlet_closed(),
    "damage": rubbish(),
    "one wild offset in an hour": stream(steady, hour, change=wild(300, 14.0, False)),
    # From here on pyxdf is wrong.
    "one wild offset in five minutes": stream(steady, 300, change=wild(30, 14.0, False)),
    "one wild offset as LabRecorder writes it": stream(steady, 300, change=wild(30, 14.0, True)),
    "a wild last offset": stream(steady, 15, change=wild(3, 14.0, False)),
    "set forward by 0.8 s in an hour": stream(jumps((1802, 0.8)), hour),
    "restarted again and again": stream(lambda t: t + 1000 if t < 403 else t - 400 if t < 802 else t - 790, 1200),
    "set back by 50 s in an hour": interleaved(jumps((1802, -50)), hour),
    "set forward by 3 s in an hour": interleaved(jumps((1800.5, 3)), hour),
    "a rate that is only promised": promised_rate(),
    "unresolvable": unresolvable(),
}


def seen(path):
    try:
        streams, _ = pyxdf.load_xdf(str(path))
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    rows = []
    for one in streams:
        for at, row in zip(one["time_stamps"], one["time_series"]):
            value = row[0]
            rows.append([float(at), value if isinstance(value, str) else repr(value.item())])
    return sorted(rows)


out = {}
for name, (truth, content) in cases.items():
    path = folder / f"{name}.xdf"
    path.write_bytes(content)
    out[name] = {"truth": truth, "pyxdf": seen(path)}
for path in sorted(Path(task["cases"]).glob("*.xdf*")):
    out[path.name] = {"truth": None, "pyxdf": seen(path)}
json.dump(out, sys.stdout)
