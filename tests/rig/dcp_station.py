"""A PROFINET station on layer 2 that says what a recorded one said: dcp_station.py INTERFACE BLOCKS [COPIES].

BLOCKS are the blocks of an answer in hexadecimal digits; each Get is answered with them COPIES times (1). Prints each frame of EtherType 8892 that
comes, as hexadecimal digits, after `ready`. Ends with its input. Written for the tests: Python's standard library, nothing of ours.
"""

import select
import socket
import sys

PROFINET = 0x8892


def main():
    name, blocks = sys.argv[1], bytes.fromhex(sys.argv[2])
    copies = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(PROFINET))
    line.bind((name, PROFINET))
    own = line.getsockname()[4]
    print("ready", ":".join(f"{byte:02x}" for byte in own), flush=True)
    while True:
        ready, _, _ = select.select([line, sys.stdin], [], [])
        if sys.stdin in ready and not sys.stdin.readline():
            return
        if line not in ready:
            continue
        frame, (_, _, kind, _, _) = line.recvfrom(1600)
        if kind == socket.PACKET_OUTGOING:
            continue
        print(frame.hex(), flush=True)
        payload = frame[14:]
        if payload[:4] == bytes.fromhex("fefd0300"):
            answer = payload[:2] + b"\x03\x01" + payload[4:8] + b"\0\0" + len(blocks).to_bytes(2, "big") + blocks
            for _ in range(copies):
                line.send((frame[6:12] + own + PROFINET.to_bytes(2, "big") + answer).ljust(60, b"\0"))


main()
