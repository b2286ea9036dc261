"""Leads a session from *New session* to its review by keys alone. AT-SPI tells which control has the keyboard.

Runs inside `dbus-run-session`: `atspi_keyboard.py PROGRAM FOLDER_OF_RECORDINGS PICTURE`. Keys are real key presses (xdotool); no
pointer is used. Stores a picture of the screen when the report is shown. Prints one JSON object: how often Tab was pressed until each control had the keyboard.
"""

import glob
import json
import sqlite3
import subprocess
import sys
import time

from screen_reader import Atspi, find, first, picture, start, wait

MOST_TABS = 60
tabs = {}


def keys(*names):
    subprocess.run(["xdotool", "key", *names], check=True)
    time.sleep(0.4)


def write(text):
    subprocess.run(["xdotool", "type", "--delay", "30", text], check=True)
    time.sleep(0.4)


def focused():
    """The name of the control that has the keyboard."""
    names = []

    def has_keyboard(node):
        if node.get_state_set().contains(Atspi.StateType.FOCUSED):
            names.append(node.get_name())
        return bool(names and names[-1])

    first(has_keyboard)
    return names[-1] if names else None


def tab_to(name):
    for pressed in range(MOST_TABS + 1):
        if focused() == name:
            tabs[name] = pressed
            return
        keys("Tab")
    sys.exit(f"Tab does not lead to “{name}”; the last control was “{focused()}”")


def press(name):
    tab_to(name)
    keys("space")


def stored(stream, kind):
    """The number of such events in the file of the session that is being recorded."""
    count = 0
    question = "SELECT count(*) FROM event WHERE stream = ? AND kind = ?"
    for file in glob.glob(f"{sys.argv[2]}/sub-*/ses-*/session.sqlite"):
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
        try:
            count += database.execute(question, (stream, kind)).fetchone()[0]
        except sqlite3.OperationalError:
            pass  # the file is being made
        database.close()
    return count


def wait_stored(stream, kind):
    wait(f"the event {kind} of {stream}", lambda: stored(stream, kind) > 0)


def record():
    """Presses Record. A slow machine fails a check, so the question is answered, too."""
    for _ in range(20):
        if find("Stop and save …"):
            return
        keys("ctrl+r")
        time.sleep(2)
        if find("Record anyway"):
            press("Record anyway")
            time.sleep(4)
    sys.exit("the recording did not begin")


def session():
    wait("the button “New session”", lambda: find("New session"))
    keys("ctrl+n")
    wait("the dialog", lambda: find("Set up"))
    press("Set up")
    wait("the consent", lambda: find("The participant has agreed to this"))
    press("The participant has agreed to this")
    record()
    # The participant: F6 gives them the keyboard. Tab leads to the page's button.
    wait_stored("page", "load")
    time.sleep(2)
    keys("F6")
    keys("Tab")
    keys("space")
    wait_stored("page", "mark")
    # The operator has it back.
    keys("F6")
    time.sleep(1)
    keys("1")
    wait_stored("marker", "marker")
    keys("ctrl+n")
    wait("the field of the note", lambda: (focused() or "").startswith("Note at"))
    write("calm")
    keys("Return")
    wait_stored("marker", "note")
    keys("ctrl+p")
    wait_stored("health", "paused")
    keys("ctrl+p")
    wait_stored("health", "resumed")
    keys("ctrl+shift+s")
    wait("the question", lambda: find("Keep recording"))
    press("Stop and save")
    wait("the report", lambda: find("Open in review"))
    time.sleep(1)
    picture(sys.argv[3])
    press("Open in review")
    wait("the review", lambda: find("Sessions"))
    keys("space")


def main():
    program = start(sys.argv[1])
    try:
        session()
        print(json.dumps(tabs))
    finally:
        program.kill()
        program.wait()


main()
