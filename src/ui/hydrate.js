// Loads the module and hydrates the islands of the page. Leptos's own script would wait for an idle moment, and gives its
// preload no nonce. `root`, the path of the assets, is defined before this script.
//
// Browsers, extensions and proxies change pages before this runs: links around telephone numbers, fields of password
// managers, translations, comments taken away. Hydration needs every element and comment where the server put it. Where
// their number differs, or hydration fails, the room is rendered again in place: an empty room (`#skeleton`, in which `|`
// stands for `<`) is hydrated, and given the data of the page. The same happens when the program finds itself taken out of
// the page later.
const program = fetch(`${root}/pkg/parlour.wasm`).then((response) => WebAssembly.compileStreaming(response));
const skeleton = document.getElementById("skeleton");
const room = () => document.querySelector("leptos-island");
const fields = ["message", "username", "id"];
let original;
let renewals = 0;
const field = (name) => room().querySelector(`[name=${name}]`);
const isChanged = () => {
  const walker = document.createNodeIterator(room(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
  let count = -1;
  while (walker.nextNode()) count++;
  return count != skeleton.dataset.nodes;
};
// Keeps what was typed, the focus, and the position, in the form of `browser/location.rs`.
const renew = () => {
  const old = room();
  const values = fields.map((name) => field(name)?.value ?? "");
  const { activeElement: active } = document;
  const timeline = old.querySelector(".timeline");
  const edge = timeline?.getBoundingClientRect().top;
  const below = (message) => message.getBoundingClientRect().bottom - edge;
  const first = [...old.querySelectorAll("[data-seq]")].find((message) => below(message) > 0);
  if (timeline?.scrollTop < -99 && first && history.state === null)
    history.replaceState(`${first.dataset.seq} ${Math.round(below(first) * 100)}`, "");
  const selection = [active.selectionStart, active.selectionEnd];
  original ??= old;
  const page = old.dataset.page ?? old.dataset.props;
  old.outerHTML = skeleton.textContent.replaceAll("|", "<");
  room().dataset.page = page;
  fields.forEach((name, index) => (field(name).value = values[index]));
  if (fields.includes(active.name)) {
    field(active.name).focus();
    field(active.name).setSelectionRange(...selection);
  }
};
// Where nothing helps, and if the module fails later, the page works as before hydration: it shows messages and posts by
// its form.
const fail = () => {
  if (original) {
    const values = fields.map((name) => field(name)?.value);
    room()?.replaceWith(original);
    fields.forEach((name, index) => (field(name).value = values[index] ?? field(name).value));
  }
  const view = document.querySelector(".room");
  view.classList.remove("is-hydrated");
  view.querySelector(".connection-status").replaceChildren("Reading");
  view.querySelector(".notice").replaceChildren("This page can’t update itself any more. You can still read and write, or reload it.");
  const draftKey = `parlour:draft:${view.querySelector(".message-list").dataset.room}`;
  for (const name of ["submit", "keydown", "click", "input", "pagehide"])
    addEventListener(name, (event) => {
      event.stopImmediatePropagation();
      // A message that is submitted as a form is no draft any more.
      try {
        if (name === "submit") localStorage.removeItem(draftKey);
      } catch {}
    }, true);
};
const onFailure = ({ error, reason }) => {
  if ((error ?? reason) instanceof WebAssembly.RuntimeError && document.querySelector(".room.is-hydrated")) fail();
};
addEventListener("error", onFailure);
addEventListener("unhandledrejection", onFailure);
// An instance that has failed cannot be used again. Another fragment makes another instance of the script, and loads
// nothing.
const start = async (fragment) => {
  const module = await import(`${root}/pkg/parlour.js${fragment}`);
  await module.default({ module_or_path: await program });
  if (skeleton && (fragment || isChanged())) renew();
  module.hydrate();
  try {
    for (const island of document.querySelectorAll("leptos-island")) module[island.dataset.component]?.(island);
  } catch (error) {
    // At once: tasks of the failed instance find their room outside of the page, and end.
    if (skeleton) renew();
    throw error;
  }
};
const again = () => {
  renew();
  return start(`#${++renewals}`);
};
addEventListener("parlour:renew", () => (renewals < 3 ? again() : Promise.reject()).catch(fail));
start("")
  .catch((error) => {
    if (!skeleton || !(error instanceof WebAssembly.RuntimeError)) throw error;
    return again();
  })
  .catch((error) => {
    if (skeleton) fail();
    throw error;
  });
