"""HTTP by nginx, a program of the machine, in clear or over TLS (its word: clear, tls12, tls13); the title of its page is the description."""

import subprocess
import threading

import certificate
import page
import persona

PROTOCOLS = {"tls12": "TLSv1.2", "tls13": "TLSv1.3"}


def configuration(port):
    """nginx.conf: all it writes is in the folder, and it stays in front."""
    lines = [f"listen 127.0.0.1:{port};", f"root {persona.FOLDER};", "index index.html;"]
    if persona.WORD in PROTOCOLS:
        lines[0] = f"listen 127.0.0.1:{port} ssl;"
        lines += [f"ssl_protocols {PROTOCOLS[persona.WORD]};", "ssl_certificate server.crt;", "ssl_certificate_key server.pem;"]
    places = "".join(f"{kind}_temp_path {persona.FOLDER};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    http = f"access_log off; types {{ text/html html; }} gzip on; {places} server {{ {' '.join(lines)} }}"
    account = "user root;" if persona.os.getuid() == 0 else ""
    return f"daemon off; master_process off; {account} pid nginx.pid; error_log stderr; events {{}} http {{ {http} }}"


def begin(port):
    file.write_text(configuration(port))
    program = persona.child(["/usr/sbin/nginx", "-e", "stderr", "-p", persona.FOLDER, "-c", file], stderr=subprocess.DEVNULL)
    return program, persona.until_it_listens(program, port)


plate = persona.read()["plate"]
file = persona.FOLDER / "nginx.conf"
(persona.FOLDER / "index.html").write_text(page.of(plate))
if persona.WORD in PROTOCOLS:
    certificate.make("urn:rig:web", persona.FOLDER / "server", plate["name"])
persona.ready(persona.started(begin, persona.LISTENS))
threading.Event().wait()
