"""Reads the window through AT-SPI, as a screen reader does, and presses a button through it.

Runs inside `dbus-run-session`: `atspi_names.py PROGRAM FOLDER_OF_RECORDINGS PICTURE`. Stores a picture of the
screen. Prints one JSON object: the names by role, and the controls
without a name.
"""

import json
import sys

from screen_reader import find, picture, start, wait, window_nodes

CONTROLS = {"push button", "button", "check box", "radio button", "combo box", "entry", "text", "slider", "spin button",
            "toggle button", "list item", "column header", "table column header", "menu item", "password text"}


def press(name):
    action = find(name).get_action_iface()
    names = [action.get_action_name(k) for k in range(action.get_n_actions())]
    place = next(k for k, n in enumerate(names) if n.lower() in ("click", "press", "activate"))
    action.do_action(place)


def survey():
    names, unnamed = {}, []
    for node in window_nodes():
        role = node.get_role_name()
        if role in CONTROLS:
            name = node.get_name() or ""
            names.setdefault(role, []).append(name)
            if not name.strip():
                unnamed.append(role)
    return {"names": names, "unnamed": unnamed}


def main():
    program = start(sys.argv[1])
    try:
        wait("the button “New session”", lambda: find("New session"))
        home = survey()
        press("New session")
        wait("the button “Set up”", lambda: find("Set up"))
        picture(sys.argv[3])
        print(json.dumps({"home": home, "dialog": survey()}))
    finally:
        program.kill()
        program.wait()


main()
