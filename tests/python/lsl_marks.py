"""Sends markers of Lab Streaming Layer: the text `begin`, many others, and the text `end`. The plan is JSON in the first argument:
`name`, and `count` and `every_s` of the other markers.

Prints `ready` when it can be found, sends after a line on standard input, and then prints texts and stamps as one JSON line. Ends when
standard input is closed.
"""

import json
import sys
import time

import pylsl

plan = json.loads(sys.argv[1])
outlet = pylsl.StreamOutlet(pylsl.StreamInfo(plan["name"], "Markers", 1, 0.0, "string", plan["name"] + " 1"), max_buffered=60)
print("ready", flush=True)
sys.stdin.readline()
sent = []


def send(text):
    stamp = pylsl.local_clock()
    outlet.push_sample([text], stamp)
    sent.append([text, stamp])


send("before")
send("begin")
for number in range(plan["count"]):
    time.sleep(plan["every_s"])
    send(f"m {number}")
send("end")
print(json.dumps(sent), flush=True)
sys.stdin.read()
