# Runs a server that cannot take a free port by itself: listens for it, writes its configuration with the port put in for
# @PORT@, says {"listening":port} and becomes the server, which finds the socket as descriptor 3.
#   python3 on_any_port.py CONFIG PROGRAM ARGUMENTS…
import json
import os
import socket
import sys

config, *command = sys.argv[1:]
listener = socket.create_server(('127.0.0.1', 0), backlog=4096)
port = listener.getsockname()[1]
with open(config) as file:
    text = file.read()
with open(config, 'w') as file:
    file.write(text.replace('@PORT@', str(port)))
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
print(json.dumps({'listening': port}), flush=True)
os.execve(command[0], command, {**os.environ, 'NGINX': '3;'})
