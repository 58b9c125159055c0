// Loads the module and hydrates the islands of the page. Leptos's own script would wait for an idle moment, and its
// preload has no nonce. `root`, the path of the assets, is defined before this script.
//
// Browsers, extensions and proxies change pages before this runs: they add links around phone numbers and fields of
// password managers, translate texts, and remove comments. Hydration needs every element and comment in its place. If
// their number differs, if hydration fails, or if something removes the island later, `public/repair.js` renders the room
// again.
const program = fetch(`${root}/pkg/parlour.wasm`).then((response) => WebAssembly.compileStreaming(response));
const skeleton = document.getElementById("skeleton");
const room = document.querySelector("leptos-island") ?? document.querySelector(".room");
const repair = () => import(`${root}/repair.js`);
const isChanged = () => {
  const walker = document.createNodeIterator(room, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
  let count = -1;
  while (walker.nextNode()) count++;
  return count != skeleton.dataset.nodes;
};
// If a network blocks WebSockets, or an extension refuses to open any, the third one in a row that receives nothing
// exchanges frames by HTTP (`public/limited.js`). Close codes 1012, 1013, and from 4000 on, come from the server.
let Socket;
try {
  Socket = window.WebSocket;
} catch {}
const open = (url) => {
  try {
    return new Socket(url);
  } catch {
    const socket = { send() {}, close() {} };
    setTimeout(() => socket.onclose?.({ code: 0 }));
    return socket;
  }
};
let unheard = 0;
class Link {
  constructor(url) {
    this.url = url;
    const socket = (this.socket = open(url));
    let isHeard;
    const onClose = ({ code }) => {
      clearTimeout(patience);
      socket.onclose = null;
      if (this.isClosed) return;
      if (isHeard || (code > 1011 && code < 1014) || code > 3999 || ++unheard < 3) return this.onclose?.({ code });
      socket.close();
      import(`${root}/limited.js`).then(
        ({ exchange }) => exchange(this, open),
        () => this.onclose?.({ code }),
      );
    };
    const patience = setTimeout(onClose, unheard < 2 ? 8000 : 4000, { code: 0 });
    socket.onopen = () => this.onopen?.();
    socket.onmessage = (event) => {
      isHeard ||= !(unheard = 0);
      clearTimeout(patience);
      delete document.documentElement.dataset.limited;
      this.onmessage?.(event);
    };
    socket.onclose = onClose;
  }
  send(text) {
    this.socket.send(text);
  }
  close() {
    this.isClosed = true;
    this.socket.close();
  }
}
Object.defineProperty(window, "WebSocket", { value: Link });
// A failed instance of the module cannot be used again. Another fragment in the URL creates another instance of the
// script, without a download.
let starts = 0;
let hasFailed = false;
const start = async () => {
  const again = starts++;
  const module = await import(`${root}/pkg/parlour.js${again ? `#${again}` : ""}`);
  await module.default({ module_or_path: await program });
  if (skeleton && (again || isChanged())) (await repair()).renew(skeleton);
  module.hydrate();
  // Keeps the position of the messages when the composer grows.
  const timeline = document.querySelector(".timeline");
  if (timeline && window.ResizeObserver) new ResizeObserver(() => dispatchEvent(new Event("resize"))).observe(timeline);
  for (const island of document.querySelectorAll("leptos-island"))
    try {
      module[island.dataset.component]?.(island);
    } catch (error) {
      // Tasks of the failed instance check this, and end.
      island.dataset.failed = "";
      throw error;
    }
  // Something may replace the composer, whose listeners are then lost.
  const field = document.querySelector(".composer #message");
  const form = field?.form;
  const onChange = (_, observer) => {
    if (hasFailed || (field.isConnected && field.form === form)) return;
    observer.disconnect();
    dispatchEvent(new Event("parlour-torn"));
  };
  if (form) new MutationObserver(onChange).observe(document, { childList: true, subtree: true });
};
// If the module fails later, the page works as before hydration: it shows messages, and posts with its form.
const fail = async (error) => {
  hasFailed = true;
  if (document.querySelector(".room")) (await repair()).fail(room);
  throw error;
};
const onFailure = ({ error, reason }) => {
  if ((error ?? reason) instanceof WebAssembly.RuntimeError && document.querySelector(".room.is-hydrated")) fail(error);
};
addEventListener("error", onFailure);
addEventListener("unhandledrejection", onFailure);
// Shrinks the page by the height of the keyboard that iOS draws over it.
const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  const isCovered = viewport.scale === 1 && viewport.height < innerHeight - 1;
  document.documentElement.style.setProperty("--visible-height", isCovered ? `${viewport.height}px` : "");
  if (isCovered) scrollTo(0, 0);
});
// Browsers need seconds to paste a long text, to detect its direction and to record it for undo.
addEventListener("paste", (event) => {
  const field = event.target;
  const text = event.clipboardData?.getData("text") ?? "";
  if (field.id !== "message" || text.length <= 8000) return;
  event.preventDefault();
  field.dir = "ltr";
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
addEventListener("parlour-renew", () => (starts < 5 ? start() : Promise.reject()).catch(fail));
start()
  .catch((error) => {
    if (!skeleton || !(error instanceof WebAssembly.RuntimeError)) throw error;
    return start();
  })
  .catch(fail);
// All emoji are loaded when they are wanted.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-palette]");
  if (button) import(`${root}/palette.js`).then(({ open }) => open(button));
});
