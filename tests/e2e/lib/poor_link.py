"""A poor network between a namespace of its own and this machine's loopback: what runs in the namespace reaches the servers on
127.0.0.1 through two TUN devices, and every IP packet between these waits, is lost, or finds the queue full. TCP suffers as it
does on the road; nothing above it knows. Ends, with devices and namespace, when its standard input does. Needs root.

Standard input, a line each: {"rtt_ms", "loss", "kbit", "queue_ms"} for both directions from now on, or "count".
Standard output, a line each: {"listening": its pid} (enter by nsenter --net=/proc/<pid>/ns/net), then for each "count"
{"up": {"packets", "bytes", "lost", "overflowed"}, "down": {…}}; bytes are of IP packets that arrived, up is from the namespace.
The seed of what is lost is argv[1].
"""
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def ip(*words):
    subprocess.run(["ip", *words], check=True)


# Loopback addresses are let out of the machine and in again, on these two devices alone.
def bring_up(name, address, peer):
    ip("addr", "add", address, "peer", peer, "dev", name)
    ip("link", "set", name, "up", "mtu", "1400")
    with open(f"/proc/sys/net/ipv4/conf/{name}/route_localnet", "w", encoding="ascii") as file:
        file.write("1")


class Way:
    """One direction: a queue in front of a line of so many bits a second, and the distance behind it."""

    def __init__(self, chance, to):
        self.chance, self.to, self.free_at, self.order = chance, to, 0.0, 0
        self.on_the_way = []
        self.count = {"packets": 0, "bytes": 0, "lost": 0, "overflowed": 0}

    def take(self, packet, now, shape):
        if self.chance.random() < shape["loss"]:
            self.count["lost"] += 1
            return
        starts = max(now, self.free_at)
        if starts - now > shape["queue_ms"] / 1000:
            self.count["overflowed"] += 1
            return
        self.free_at = starts + len(packet) / (shape["kbit"] * 125)
        self.order += 1
        heapq.heappush(self.on_the_way, (self.free_at + shape["rtt_ms"] / 2000, self.order, packet))

    def deliver(self, now):
        while self.on_the_way and self.on_the_way[0][0] <= now:
            packet = heapq.heappop(self.on_the_way)[2]
            self.count["packets"] += 1
            self.count["bytes"] += len(packet)
            try:
                os.write(self.to, packet)
            except OSError:
                pass  # the device's own queue is full: one more packet lost

    def due(self):
        return self.on_the_way[0][0] if self.on_the_way else float("inf")


def packets(fd):
    while True:
        try:
            yield os.read(fd, 2048)
        except BlockingIOError:
            return


def read_words(shape, ways):
    words = os.read(0, 65536)
    for line in words.splitlines():  # whoever writes them writes whole lines
        if line == b"count":
            print(json.dumps({name: way.count for name, way in ways.items()}), flush=True)
        else:
            shape.update(json.loads(line))
    return bool(words)


def carry(near, far, seed):
    shape = {"rtt_ms": 0, "loss": 0, "kbit": 100000, "queue_ms": 1000}
    chance = random.Random(seed)
    ways = {"up": Way(chance, near), "down": Way(chance, far)}
    while True:
        now = time.monotonic()
        for way in ways.values():
            way.deliver(now)
        wait = min(1.0, max(0.0, min(way.due() for way in ways.values()) - time.monotonic()))
        ready, _, _ = select.select([near, far, 0], [], [], wait)
        now = time.monotonic()
        if far in ready:
            for packet in packets(far):
                ways["up"].take(packet, now, shape)
        if near in ready:
            for packet in packets(near):
                ways["down"].take(packet, now, shape)
        if 0 in ready and not read_words(shape, ways):
            return


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    slot = os.getpid() % 32768 * 2
    here, there = (f"198.18.{(slot + i) >> 8}.{(slot + i) & 255}" for i in range(2))
    near = tun(f"poor{os.getpid()}")
    bring_up(f"poor{os.getpid()}", here, there)
    if libc.unshare(CLONE_NEWNET) != 0:
        sys.exit("no network namespace of its own")
    far = tun("poor")
    bring_up("poor", there, here)
    ip("route", "add", "127.0.0.0/8", "dev", "poor")
    print(json.dumps({"listening": os.getpid()}), flush=True)
    carry(near, far, int(sys.argv[1]))


main()
