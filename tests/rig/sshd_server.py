"""SSH by OpenSSH's sshd, a program of the machine, with a host key of its own: behind its version stands the persona's model."""

import os
import subprocess
import threading
from pathlib import Path

import persona


def begin(port):
    options = [f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {key}", "PidFile none", "UsePAM no", f"VersionAddendum {model}"]
    file.write_text("\n".join(options) + "\n")
    program = persona.child(["/usr/sbin/sshd", "-D", "-e", "-f", file], stderr=subprocess.DEVNULL)
    return program, persona.until_it_listens(program, port)


model = persona.read()["plate"]["model"]
file, key = persona.FOLDER / "sshd_config", persona.FOLDER / "host_key"
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, stdin=subprocess.DEVNULL)
if os.getuid() == 0:
    # Where it goes without rights; Debian makes it when the service starts.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
persona.ready(persona.started(begin, persona.LISTENS))
threading.Event().wait()
