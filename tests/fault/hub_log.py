# Prints a hub's own log as it lies on its disk: {"events": [envelope, …], "accepted": [hash, …]}, hashes in base64url.
#
#   hub_log.py <gate.db>
import base64
import json
import sqlite3
import sys

store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
b64 = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
print(json.dumps({
    "events": [json.loads(envelope) for (envelope,) in store.execute("SELECT envelope FROM event ORDER BY n")],
    "accepted": [b64(hash) for (hash,) in store.execute("SELECT hash FROM accepted")],
}))
