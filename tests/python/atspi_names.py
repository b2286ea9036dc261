"""Reads the window through AT-SPI, as a screen reader does, and presses a button through it.

Runs inside `dbus-run-session`: `atspi_names.py PROGRAM`. Prints one JSON object: the names by role, and the controls
without a name.
"""

import json
import os
import subprocess
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

PATIENCE_S = 60.0
CONTROLS = {"push button", "button", "check box", "radio button", "combo box", "entry", "text", "slider", "spin button",
            "toggle button", "list item", "column header", "table column header", "menu item", "password text"}


def switch_on():
    """Tells all programs that somebody reads the screen. They publish nothing before."""
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    arguments = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
    bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set", arguments, None,
                  Gio.DBusCallFlags.NONE, 10000, None)


def wait(what, look):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            found = look()
        except GLib.Error:
            found = None  # an object that has just disappeared
        if found:
            return found
        time.sleep(0.3)
    sys.exit(f"{what} did not appear within {PATIENCE_S:.0f} s")


def application():
    desktop = Atspi.get_desktop(0)
    children = [desktop.get_child_at_index(k) for k in range(desktop.get_child_count())]
    return next((c for c in children if c is not None and "affectograph" in (c.get_name() or "").lower()), None)


def nodes(node):
    yield node
    for k in range(node.get_child_count()):
        child = node.get_child_at_index(k)
        if child is not None:
            yield from nodes(child)


def find(name):
    app = application()
    return app and next((n for n in nodes(app) if n.get_name() == name), None)


def press(name):
    action = find(name).get_action_iface()
    names = [action.get_action_name(k) for k in range(action.get_n_actions())]
    place = next(k for k, n in enumerate(names) if n.lower() in ("click", "press", "activate"))
    action.do_action(place)


def survey():
    names, unnamed = {}, []
    for node in nodes(application()):
        role = node.get_role_name()
        if role in CONTROLS:
            name = node.get_name() or ""
            names.setdefault(role, []).append(name)
            if not name.strip():
                unnamed.append(role)
    return {"names": names, "unnamed": unnamed}


def main():
    switch_on()
    program = subprocess.Popen([sys.argv[1]], env={**os.environ, "NO_AT_BRIDGE": "0"})
    try:
        wait("the button “New session”", lambda: find("New session"))
        home = survey()
        press("New session")
        wait("the button “Set up”", lambda: find("Set up"))
        print(json.dumps({"home": home, "dialog": survey()}))
    finally:
        program.kill()
        program.wait()


main()
