"""What the Python servers of the rig share: the persona from standard input, and ending with the test that started them."""

import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

# Of the arguments: npm's modules, a folder to write to, and a word that says which of its servers a script is.
FOLDER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(".")
WORD = sys.argv[3] if len(sys.argv) > 3 else ""
PR_SET_PDEATHSIG = 1
# A port that is free at one moment can be gone at the next.
TRIES = 5
POLL_SECONDS = 0.02
LISTENS = "it listens"


def read():
    """The persona: one line of JSON on standard input (shape: README.md)."""
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    return json.loads(line)


def ready(place):
    """Tell the test that the server answers here: a port, an address with a port, or a serial line."""
    print(f"READY {place}", flush=True)


def free_port(address="127.0.0.1"):
    """A port that is free for TCP and UDP alike, for servers that cannot be told to take any."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            try:
                udp.bind((address, tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]


def own_address():
    """A loopback address for this process alone, so that a well-known port is free there."""
    drawn = random.SystemRandom()
    return f"127.{drawn.randint(1, 254)}.{drawn.randint(0, 255)}.{drawn.randint(1, 254)}"


def child(command, **options):
    """Another program, ended by the kernel when this one is, even by SIGKILL."""
    libc = ctypes.CDLL(None)
    me = os.getpid()

    def leash():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != me:
            os._exit(1)

    return subprocess.Popen([str(word) for word in command], preexec_fn=leash, stdin=subprocess.DEVNULL, **options)


def started(begin, says):
    """Begins until the program's output has this text in it; begin(port) gives the program and the stream to read. Gives the port."""
    for _ in range(TRIES):
        port = free_port()
        program, stream = begin(port)
        heard = []
        for line in stream:
            heard.append(line)
            if says in line:
                # Reads on, so that the program never blocks on a full pipe.
                threading.Thread(target=list, args=(stream,), daemon=True).start()
                return port
        program.wait()
    raise SystemExit("".join(heard))


def until_it_listens(program, port, protocol="tcp"):
    """For a program that does not say when it listens, or says so too early: the one line LISTENS once it does, none where it ended first.
    Asks the kernel, for a connection of ours would keep a server of one client busy."""
    state = {"tcp": "0A", "udp": "07"}[protocol]
    wanted = f"0100007F:{port:04X} 00000000:0000 {state}"
    while program.poll() is None:
        if wanted in Path("/proc/net", protocol).read_text():
            yield LISTENS
            return
        time.sleep(POLL_SECONDS)


def _end_with_standard_input():
    # A killed test must leave no server behind: its end of the pipe closes with it.
    sys.stdin.read()
    os._exit(0)
