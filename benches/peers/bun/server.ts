// A chat on Bun, whose WebSocket server is uWebSockets: its native publish sends every message to everybody in its room.
// With a file, each message is stored first, without a sync for each; without one, nothing is stored.
import { Database } from "bun:sqlite";

const [port, file] = process.argv.slice(2);
const insert = file ? open(file) : undefined;

function open(file: string) {
  const database = new Database(file);
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  database.run("CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, username TEXT, message TEXT, at INTEGER)");
  return database.prepare("INSERT INTO messages (room, username, message, at) VALUES (?, ?, ?, ?)");
}

const server = Bun.serve<{ room: string }>({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch(request, server) {
    const room = new URL(request.url).pathname.split("/")[2];
    if (room && server.upgrade(request, { data: { room } })) return;
    return new Response("ok");
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe(socket.data.room);
      socket.send(JSON.stringify({ type: "welcome" }));
    },
    message(socket, data) {
      const { username, message } = JSON.parse(String(data));
      insert?.run(socket.data.room, username, message, Date.now());
      server.publish(socket.data.room, JSON.stringify({ username, message }));
    },
  },
});
