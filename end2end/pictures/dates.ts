// The times of the pictures: the server takes those of its clock, so they are changed in its database.

import { spawnSync } from "node:child_process";
import { type Dates } from "./conversation";

/** An event of another kind has the time of the message before it. */
const PROGRAM = `
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
for room, dates in json.load(sys.stdin).items():
    [(room_id,)] = database.execute("SELECT id FROM rooms WHERE name = ?", (room,))
    at = min(dates.values())
    for (seq,) in database.execute("SELECT seq FROM events WHERE room_id = ? ORDER BY seq", (room_id,)).fetchall():
        at = dates.get(str(seq), at)
        database.execute("UPDATE events SET at = ? WHERE room_id = ? AND seq = ?", (at, room_id, seq))
    database.execute("UPDATE rooms SET last_at = ? WHERE id = ?", (at, room_id))
database.commit()
`;

/** Dates the messages of a stopped server. */
export function date(database: string, dates: Dates): void {
  const { status, stderr } = spawnSync("python3", ["-c", PROGRAM, database], { input: JSON.stringify(dates), encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
