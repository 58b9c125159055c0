// Exchanges a room's frames by HTTP if no WebSocket gets through; see src/ui/hydrate.js. Few visitors load this.

// Time between two polls in milliseconds, and the number of polls before the next attempt with a socket.
const pollInterval = 3000;
const pollsPerDial = 20;

// Serves `link`, which the module uses like a WebSocket. `open` opens a real one. Its URL names the room and the
// position.
export const exchange = (link, open) => {
  const [, room, query] = /\/ws\/([^/?]+)\/?\??(.*)/.exec(link.url);
  let after;
  const end = (code) => {
    if (link.isClosed) return;
    link.isClosed = true;
    link.onclose?.({ code });
  };
  const request = async (more) => {
    const position = after === undefined ? query : `${query.split("&after=")[0]}&after=${after}`;
    const body = new URLSearchParams(`room_name=${room}&${position}${more}`);
    const response = await fetch("/api/exchange", { method: "POST", body });
    if (!response.ok) throw new Error(`exchange: ${response.status}`);
    // The position after all frames, or a negative close code; then the frames, one per line.
    const [first, ...frames] = (await response.text()).trimEnd().split("\n");
    if (link.isClosed) return;
    if (first < 0) return end(-first);
    if (after === undefined) {
      document.documentElement.dataset.limited = "";
      link.onopen?.();
    }
    after = first;
    for (const data of frames) link.onmessage?.({ data });
  };
  const ask = (more) => request(more).catch(() => end(0));
  // A socket that receives something ends the exchange, and the module connects again.
  const dial = () => {
    const socket = open(link.url);
    socket.onmessage = () => {
      socket.close();
      end(0);
    };
  };
  const poll = (count) => {
    if (link.isClosed) return;
    ask("");
    if (count % pollsPerDial === 0) dial();
    setTimeout(poll, pollInterval, count + 1);
  };
  link.send = (text) => ask(`&frame=${encodeURIComponent(text)}`);
  ask("&welcome=").then(() => setTimeout(poll, pollInterval, 1));
};
