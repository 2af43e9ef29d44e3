# Runs what the test says over a virtio port: a JSON object a line, {"id", "run"} in, {"id", "code", "out"} back.
import json
import subprocess
import threading

port = open("/dev/virtio-ports/tillsyn.test", "r+b", buffering=0)
lock = threading.Lock()


def say(message):
    line = json.dumps(message).encode() + b"\n"
    with lock:
        while line:
            line = line[port.write(line):]


def run(message):
    done = subprocess.run(["bash", "-c", message["run"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    say({"id": message["id"], "code": done.returncode, "out": done.stdout.decode(errors="replace")})


say({"ready": True})
rest = b""
while True:
    rest += port.read(65536)
    while b"\n" in rest:
        line, rest = rest.split(b"\n", 1)
        threading.Thread(target=run, args=(json.loads(line),), daemon=True).start()
