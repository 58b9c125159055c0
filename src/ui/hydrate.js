// Loads the module and hydrates the islands of the page. Leptos's own script would wait for an idle moment, and gives its
// preload no nonce. `root`, the path of the assets, is defined before this script.
//
// If the module fails later, the page works as before hydration: it shows messages and posts by its form.
const onFailure = ({ error, reason }) => {
  const room = document.querySelector(".room.is-hydrated");
  if (!room || !((error ?? reason) instanceof WebAssembly.RuntimeError)) return;
  room.classList.remove("is-hydrated");
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
for (const island of document.querySelectorAll("leptos-island")) module[island.dataset.component]?.(island);
