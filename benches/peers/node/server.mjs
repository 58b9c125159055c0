// A chat of the usual kind on Node.js: every message is stored, then sent to everybody in its room.
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { WebSocketServer } from "ws";

const [port, file] = process.argv.slice(2);
const database = new Database(file);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");
database.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, username TEXT, message TEXT, at INTEGER)");
const insert = database.prepare("INSERT INTO messages (room, username, message, at) VALUES (?, ?, ?, ?)");

const rooms = new Map();
const server = createServer((_, response) => response.end("ok"));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

sockets.on("connection", (socket, request) => {
  const room = request.url.split("/")[2];
  if (!rooms.has(room)) rooms.set(room, new Set());
  const here = rooms.get(room).add(socket);
  socket.send(JSON.stringify({ type: "welcome" }));
  socket.on("message", (data) => {
    const { username, message } = JSON.parse(data);
    insert.run(room, username, message, Date.now());
    const frame = JSON.stringify({ username, message });
    for (const other of here) other.send(frame, { binary: false });
  });
  socket.on("close", () => here.delete(socket));
});
server.listen(Number(port), "127.0.0.1");
