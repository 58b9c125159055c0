// Loads the module and hydrates the islands of the page. Leptos's own script would wait for an idle moment, and gives its
// preload no nonce. `root`, the path of the assets, is defined before this script.
//
// If the module fails later, the page works as before hydration: it shows messages and posts by its form.
const onFailure = ({ error, reason }) => {
  const room = document.querySelector(".room.is-hydrated");
  if (!room || !((error ?? reason) instanceof WebAssembly.RuntimeError)) return;
  room.classList.remove("is-hydrated");
  for (const part of room.querySelectorAll(".message [tabindex]")) part.removeAttribute("tabindex");
  room.querySelector(".connection-status").replaceChildren("Reading");
  const draftKey = `parlour:draft:${room.querySelector(".message-list").dataset.room}`;
  for (const name of ["submit", "keydown", "click", "input", "pagehide"])
    addEventListener(name, (event) => {
      event.stopImmediatePropagation();
      // A message that is submitted as a form is no draft any more.
      if (name === "submit") localStorage.removeItem(draftKey);
    }, true);
};
addEventListener("error", onFailure);
addEventListener("unhandledrejection", onFailure);
const module = await import(`${root}/pkg/parlour.js`);
await module.default({ module_or_path: `${root}/pkg/parlour.wasm` });
module.hydrate();
// The messages keep their place when the composer grows; a keyboard that iOS draws over the page makes the page smaller.
const timeline = document.querySelector(".timeline");
if (timeline) new ResizeObserver(() => dispatchEvent(new Event("resize"))).observe(timeline);
const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  const isCovered = viewport.scale === 1 && viewport.height < innerHeight - 1;
  document.documentElement.style.setProperty("--visible-height", isCovered ? `${viewport.height}px` : "");
  if (isCovered) scrollTo(0, 0);
});
// Browsers need seconds to paste a long text: most of it to find its direction, the rest to be able to undo it.
addEventListener("paste", (event) => {
  const field = event.target;
  const text = event.clipboardData?.getData("text") ?? "";
  if (field.id !== "message" || text.length <= 8000) return;
  event.preventDefault();
  field.dir = "ltr";
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}, true);
for (const island of document.querySelectorAll("leptos-island")) module[island.dataset.component]?.(island);
