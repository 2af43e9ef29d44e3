#!/usr/bin/env python3
"""Verifies an exported log, or a copy of one, offline: a second implementation of common/PROTOCOL.md, "Ledger entry" and "Export".

  verify_ledger.py --root-list root-list.json --provider nord [--earlier EXPORT] EXPORT

Says "verified: N entries" and ends with 0, or names the first entry that is wrong and ends with 1. Uses Python's own
library and openssl(1) for Ed25519. Takes the log's name and key from the root list and believes that list as it stands:
tillsyn-admin root check verifies it. Without --earlier it proves that the export is whole and is what the log signed; with an
earlier export also that the past is still the same, and which entry is not.
"""
import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime

KINDS = ("order", "answer", "receipt", "event", "countersign", "relay")
MEMBERS = {"details", "format", "hash", "hub", "kind", "provider", "reason", "resident", "seq", "time", "what", "who"}


class Wrong(Exception):
    pass


def unique(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_b64(value, size):
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]*", value) is not None \
        and len(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))) == size


def is_text(value, most, least=0):
    return isinstance(value, str) and least <= len(value.encode()) <= most


def is_name(value):
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9_-]{1,32}", value) is not None


def is_person(who):
    return isinstance(who, dict) and set(who) == {"issuer", "person"} and is_text(who["issuer"], 512, 1) and is_text(who["person"], 128, 1)


def read(text):
    """The entry if it is written exactly as the log writes entries."""
    entry = json.loads(text, object_pairs_hook=unique)
    datetime.strptime(entry["time"], "%Y-%m-%dT%H:%M:%SZ")
    fine = set(entry) == MEMBERS and entry["format"] == 1 and type(entry["seq"]) is int and entry["kind"] in KINDS \
        and is_name(entry["what"]) and is_name(entry["provider"]) and isinstance(entry["who"], list) and all(map(is_person, entry["who"])) \
        and all(entry[name] is None or is_b64(entry[name], size) for name, size in (("hub", 32), ("resident", 16), ("hash", 32), ("details", 32))) \
        and (entry["reason"] is None or is_text(entry["reason"], 256)) and canonical(entry) == text
    if not fine:
        raise ValueError("form")
    return entry


def leaf(text):
    return hashlib.sha256(b"\0" + text.encode()).digest()


def root(leaves):
    """RFC 6962 §2.1, from below: whole subtrees of rising size, joined from the right at the end."""
    stack = []
    for number, node in enumerate(leaves, 1):
        while number % 2 == 0:
            node = hashlib.sha256(b"\1" + stack.pop() + node).digest()
            number //= 2
        stack.append(node)
    while len(stack) > 1:
        right = stack.pop()
        stack.append(hashlib.sha256(b"\1" + stack.pop() + right).digest())
    return stack[0] if stack else hashlib.sha256().digest()


def is_signed(key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": bytes.fromhex("302a300506032b6570032100") + key, "message": message, "signature": signature}
        for name, content in files.items():
            with open(f"{folder}/{name}", "wb") as out:
                out.write(content)
        asked = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", f"{folder}/key", "-rawin", "-in", f"{folder}/message", "-sigfile", f"{folder}/signature"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def open_checkpoint(note, origin, key):
    """-> (size, root) of the C2SP note, if the log signed it."""
    found = re.fullmatch(r"((.+)\n(0|[1-9]\d*)\n([A-Za-z0-9+/=]+)\n)\n— (\S+) ([A-Za-z0-9+/=]+)\n", note)
    if not found or found[2] != origin or found[5] != origin:
        raise Wrong("the checkpoint is another log's or altered")
    signature = base64.b64decode(found[6])
    key_id = hashlib.sha256(origin.encode() + b"\n\1" + key).digest()[:4]
    if signature[:4] != key_id or not is_signed(key, found[1].encode(), signature[4:]):
        raise Wrong("the checkpoint is not signed by the log's key")
    return int(found[3]), base64.b64decode(found[4])


def parse_export(path):
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    if lines.pop() != "":
        raise Wrong("the export was cut off")
    entries, notes = [], []
    for line in lines:
        if line.startswith('{"checkpoint":'):
            notes.append((len(entries), json.loads(line, object_pairs_hook=unique)["checkpoint"]))
        else:
            entries.append(line)
    if not lines or not lines[-1].startswith('{"checkpoint":'):
        raise Wrong("the export does not end with its checkpoint")
    return entries, notes


def bare(text):
    try:
        return {name: value for name, value in json.loads(text).items() if name != "seq"}
    except (ValueError, AttributeError):
        return text


def what_happened(was, now, at):
    """At the first place where the two part."""
    if at == len(now):
        return "dropped, with all after it"
    old, new = bare(was[at]), bare(now[at])
    if old == new:
        return "altered"
    was_later = at + 1 < len(was) and bare(was[at + 1]) == new
    came_before = at + 1 < len(now) and bare(now[at + 1]) == old
    if was_later or came_before:
        return "moved" if was_later and came_before else "dropped" if was_later else "inserted"
    if any(bare(text) == old for text in now):
        return "moved"
    if isinstance(new, dict) and isinstance(old, dict) and [name for name in old if old[name] != new.get(name)] == ["time"]:
        return "back-dated" if str(new.get("time")) < old["time"] else "dated later"
    return "altered"


def check_entries(lines, provider):
    newest = ""
    for place, text in enumerate(lines):
        try:
            entry = read(text)
        except (ValueError, KeyError, TypeError) as error:
            raise Wrong(f"entry {place} is not as the log writes entries: altered") from error
        if entry["seq"] != place:
            raise Wrong(f"where entry {place} should be stands entry {entry['seq']}: dropped, inserted or moved")
        if entry["provider"] != provider:
            raise Wrong(f"entry {place} is another provider's: inserted")
        if entry["time"] < newest:
            raise Wrong(f"entry {place} is dated before the entry ahead of it: back-dated")
        newest = entry["time"]


def verify(path, provider, earlier):
    lines, notes = parse_export(path)
    was = []
    if earlier:
        was = verify(earlier, provider, None)
        for at in range(len(was)):
            if at == len(lines) or lines[at] != was[at]:
                raise Wrong(f"entry {at} is {what_happened(was, lines, at)}")
    check_entries(lines, provider["id"])
    origin, key = provider["ledger_origin"], base64.urlsafe_b64decode(provider["ledger_key"] + "=")
    leaves = [leaf(text) for text in lines]
    sure = 0
    for place, note in notes[:-1]:
        if open_checkpoint(note, origin, key) != (place, root(leaves[:place])):
            raise Wrong(f"of the entries {sure} to {place} at least one is not as the log signed it")
        sure = place
    size, signed_root = open_checkpoint(notes[-1][1], origin, key)
    if size < len(lines) and root(leaves[:size]) == signed_root:
        raise Wrong(f"entry {size} is not among those that the checkpoint was signed over: inserted")
    if size != len(lines):
        raise Wrong(f"the checkpoint was signed over {size} entries and there are {len(lines)}")
    if root(leaves) != signed_root:
        raise Wrong("these are not the entries that the checkpoint was signed over")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--root-list", "--provider"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--earlier")
    arguments.add_argument("export")
    given = arguments.parse_args()
    with open(given.root_list, encoding="utf-8") as file:
        providers = json.loads(json.load(file)["payload"])["providers"]
    try:
        provider = next(one for one in providers if one["id"] == given.provider)
        print(f"verified: {len(verify(given.export, provider, given.earlier))} entries")
    except Wrong as wrong:
        sys.exit(f"{given.export} does not verify: {wrong}")


if __name__ == "__main__":
    main()
