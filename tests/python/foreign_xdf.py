"""Writes an XDF file as another recorder would, two marker streams on clocks of their own, and prints the events where
pyxdf sees them: [[seconds, kind], ...] by time."""

import json
import struct
import sys

import pyxdf

path = json.load(sys.stdin)


def chunk(tag, content):
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content


def header(stream, name, kind, channels):
    xml = (
        f"<?xml version='1.0'?><info><name>{name}</name><type>Markers</type><channel_count>{channels}</channel_count>"
        f"<nominal_srate>0</nominal_srate><channel_format>{kind}</channel_format></info>"
    )
    return chunk(2, struct.pack("<I", stream) + xml.encode())


def offset(stream, at, value):
    return chunk(4, struct.pack("<Idd", stream, at, value))


with open(path, "wb") as out:
    out.write(b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>"))
    out.write(header(1, "words", "string", 2) + header(2, "codes", "int16", 1))
    for k in range(12):
        out.write(offset(1, 500.0 + 5 * k, -498.0 + 5 * k * 40e-6))
        out.write(offset(2, 9000.0 + 5 * k, -8999.25))
    for k in range(10):
        text = f"word {k} ä".encode()
        values = b"\x01" + bytes([len(text)]) + text + b"\x01\x01x"
        out.write(chunk(3, struct.pack("<I", 1) + b"\x01\x01" + b"\x08" + struct.pack("<d", 501.0 + 4 * k) + values))
        out.write(chunk(3, struct.pack("<I", 2) + b"\x01\x01" + b"\x08" + struct.pack("<dh", 9000.5 + 3 * k, k)))

streams, _ = pyxdf.load_xdf(path)
events = []
for stream in streams:
    for at, row in zip(stream["time_stamps"], stream["time_series"]):
        events.append([float(at), row[0] if isinstance(row[0], str) else str(int(row[0]))])
json.dump(sorted(events), sys.stdout)
