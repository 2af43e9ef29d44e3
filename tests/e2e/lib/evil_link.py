# What an enemy who owns the hub's network program can say to the gate: anything, on its socket (firmware/ipc/README.md).
#
#   evil_link.py <socket> < {"hello": true, "messages": [{"type": 4, "body": base64, "times": 1}], "listen": seconds}
#   -> {"replies": [{"type": 36, "body": base64}], "sent": n, "closed": true|false, "error": text|null}
#
# `closed`: the gate has ended the connection. A negative type sends the body alone, without a type.
import base64
import json
import socket
import sys
import time

wanted = json.load(sys.stdin)
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * 1024 * 1024)
link.connect(sys.argv[1])
said = {"replies": [], "sent": 0, "closed": False, "error": None}


def hear(until):
    while not said["closed"] and time.monotonic() < until:
        link.settimeout(max(0.01, until - time.monotonic()))
        try:
            packet = link.recv(1024 * 1024)
        except (TimeoutError, socket.timeout):
            return
        except OSError:
            packet = b""
        if not packet:
            said["closed"] = True
            return
        said["replies"].append({"type": packet[0], "body": base64.b64encode(packet[1:]).decode()})


def say(packet):
    link.settimeout(2)
    try:
        link.send(packet)
        said["sent"] += 1
    except OSError as error:
        said["error"] = error.strerror
        said["closed"] = said["closed"] or isinstance(error, (BrokenPipeError, ConnectionResetError))


if wanted.get("hello", True):
    say(bytes([1, 1]))
    hear(time.monotonic() + 0.3)
for message in wanted["messages"]:
    body = base64.b64decode(message["body"])
    packet = body if message["type"] < 0 else bytes([message["type"]]) + body
    for _ in range(message.get("times", 1)):
        say(packet)
        if said["closed"]:
            break
    if message.get("times", 1) == 1:
        hear(time.monotonic() + message.get("pause", 0.02))
hear(time.monotonic() + wanted.get("listen", 0.7))
json.dump(said, sys.stdout)
