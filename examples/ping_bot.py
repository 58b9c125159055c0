#!/usr/bin/env python3
"""Answers "!ping" in a room, once each, and misses none: not while it is away, nor while the server restarts.

    ROOM_TOKEN=plr_... python3 ping_bot.py https://chat.example/harbour/ ping_bot.json

The file keeps its position. `parlour token create LABEL` or the room's settings make the token; without one the bot
is a guest.
"""
import json, os, sys, time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ROOM, STATE = sys.argv[1].rstrip("/"), sys.argv[2]
TOKEN = os.environ.get("ROOM_TOKEN")


def request(path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    return urlopen(Request(ROOM + path, body, headers), timeout=45)


def save(position):
    with open(STATE + ".new", "w") as file:
        json.dump(position, file)
    os.replace(STATE + ".new", STATE)
    return position


def handle(frame, position):
    """Answers a frame, and then saves the position after it: what fails in between is repeated, under the same id."""
    kind, epoch = frame.get("type"), position["epoch"]
    if kind == "message" and frame["message"] == "!ping":
        request("/", b"pong", Content_Type="text/plain", Idempotency_Key=f"pong-{epoch}-{frame['seq']}").close()
    if kind == "end" and frame["code"] >= 4500:
        sys.exit(f"{ROOM}: {frame['detail']}")
    if kind == "reset":
        return save({"epoch": frame["epoch"], "after": frame["head"]})
    # Whatever has a number is an event.
    return save({"epoch": epoch, "after": frame["seq"]}) if "seq" in frame else position


while True:
    try:
        if not os.path.exists(STATE):
            page = json.load(request("/?limit=1", Accept="application/json"))
            save({"epoch": page["epoch"], "after": page["head"]})
        position = json.load(open(STATE))
        for line in request(f"/events?{urlencode(position)}", Accept="application/x-ndjson"):
            if line.strip():
                position = handle(json.loads(line), position)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError) and 400 <= error.code < 500 and error.code != 429:
            sys.exit(f"{ROOM}: {error}")
        print(f"{ROOM}: {error}; trying again", file=sys.stderr)
    time.sleep(1)
