"""What the Python servers of the rig share: the persona from standard input, and ending with the test that started them."""

import json
import os
import sys
import threading


def read():
    """The persona: one line of JSON on standard input (shape: README.md)."""
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    return json.loads(line)


def ready(port):
    """Tell the test that the server accepts connections on this port."""
    print(f"READY {port}", flush=True)


def _end_with_standard_input():
    # A killed test must leave no server behind: its end of the pipe closes with it.
    sys.stdin.read()
    os._exit(0)
