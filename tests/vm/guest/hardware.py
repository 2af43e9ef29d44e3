# The hub's button and lamp, as far as the kernel can tell: one uinput device with a key and an LED. The LED is of the
# kernel's LED class, at /run/tillsyn-test/lamp; "hold" or "press" written to /run/tillsyn-test/button moves the key.
import fcntl
import glob
import os
import socket
import struct
import time

EV_SYN, EV_KEY, EV_LED, KEY_PROG1, LED_MISC = 0, 1, 0x11, 148, 8
UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_LEDBIT = 0x40045564, 0x40045565, 0x40045569
UI_DEV_SETUP, UI_DEV_CREATE = 0x405C5503, 0x5501
BUS_VIRTUAL = 6
FOLDER = "/run/tillsyn-test"


def make_device():
    device = os.open("/dev/uinput", os.O_RDWR | os.O_NONBLOCK)
    for request, bit in ((UI_SET_EVBIT, EV_KEY), (UI_SET_EVBIT, EV_LED), (UI_SET_KEYBIT, KEY_PROG1),
                         (UI_SET_LEDBIT, LED_MISC)):
        fcntl.ioctl(device, request, bit)
    fcntl.ioctl(device, UI_DEV_SETUP, struct.pack("HHHH80sI", BUS_VIRTUAL, 1, 1, 1, b"tillsyn-test", 0))
    fcntl.ioctl(device, UI_DEV_CREATE)
    return device


def find_lamp():
    while not (found := glob.glob("/sys/class/leds/*::misc")):
        time.sleep(0.01)
    return found[0]


def move_key(device, value):
    for kind, code, value in ((EV_KEY, KEY_PROG1, value), (EV_SYN, 0, 0)):
        os.write(device, struct.pack("qqHHi", 0, 0, kind, code, value))


def tell_systemd():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


device = make_device()
os.makedirs(FOLDER, exist_ok=True)
os.symlink(find_lamp(), FOLDER + "/lamp")
os.mkfifo(FOLDER + "/button", 0o600)
tell_systemd()
while True:
    with open(FOLDER + "/button") as button:
        for word in button:
            move_key(device, 1)
            time.sleep(5.5 if word.strip() == "hold" else 0.2)
            move_key(device, 0)
