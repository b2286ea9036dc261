"""Looks for the page through AT-SPI: in set-up, when only the operator sees a picture of it, and in the recording.

Runs inside `dbus-run-session`: `atspi_preview.py PROGRAM FOLDER_OF_RECORDINGS PICTURE`. The page has the heading `Heading of the
page`. Stores a picture of the screen when the page is found. Prints one JSON object: whether the heading was found.
"""

import glob
import json
import subprocess
import sys
import time

from screen_reader import find, picture, start, wait

HEADING = "Heading of the page"
# The page of set-up is loaded, and a screen reader has had time to be told of it.
LOADED_S = 10.0


def keys(*names):
    subprocess.run(["xdotool", "key", *names], check=True)
    time.sleep(0.6)


def record():
    """Presses Record. A slow machine fails a check, so the question is answered, too."""
    for _ in range(20):
        keys("ctrl+r")
        time.sleep(2)
        if find("Record anyway"):
            keys("Tab")
            keys("space")
            time.sleep(4)
        if glob.glob(f"{sys.argv[2]}/sub-*/ses-*/session.sqlite"):
            return
    sys.exit("the recording did not begin")


def main():
    program = start(sys.argv[1])
    try:
        wait("the button “New session”", lambda: find("New session"))
        keys("ctrl+n")
        wait("the dialog", lambda: find("Set up"))
        keys("Return")
        wait("the checks of set-up", lambda: find("Back to sessions"))
        time.sleep(LOADED_S)
        is_in_set_up = find(HEADING) is not None
        record()
        wait("the page in the participant's window", lambda: find(HEADING))
        picture(sys.argv[3])
        print(json.dumps({"in_set_up": is_in_set_up, "in_recording": True}))
    finally:
        program.kill()
        program.wait()


main()
