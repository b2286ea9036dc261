"""The window as a screen reader reads it, through AT-SPI. Runs inside `dbus-run-session`."""

import os
import subprocess
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

PATIENCE_S = 60.0


def start(program):
    """Starts the program after telling all programs that somebody reads the screen. They publish nothing before."""
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    arguments = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
    bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set", arguments, None,
                  Gio.DBusCallFlags.NONE, 10000, None)
    return subprocess.Popen([program], env={**os.environ, "NO_AT_BRIDGE": "0"})


def wait(what, look, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    sys.exit(f"{what} did not appear within {patience_s:.0f} s")


def nodes(node):
    yield node
    for k in range(node.get_child_count()):
        child = node.get_child_at_index(k)
        if child is not None:
            yield from nodes(child)


def window_nodes():
    """All nodes of the program. GTK publishes what it draws as an application of its own."""
    desktop = Atspi.get_desktop(0)
    for k in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(k)
        if application is not None and "affectograph" in (application.get_name() or "").lower():
            yield from nodes(application)


def first(is_it):
    """The first node for which `is_it` is true. None: there is none now."""
    try:
        return next((node for node in window_nodes() if is_it(node)), None)
    except GLib.Error:
        return None  # an object has just disappeared


def find(name):
    return first(lambda node: node.get_name() == name)


def picture(file):
    """Stores a picture of the screen. Call it before the program ends."""
    subprocess.run(["import", "-window", "root", file], check=True)
