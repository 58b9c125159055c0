// Renders a room again in a page that something else has changed; see src/ui/hydrate.js. Few visitors load this.

const room = () => document.querySelector("leptos-island") ?? document.querySelector(".room");
const fields = ["#message", ".composer-name", "[name=id]"];
const field = (selector) => room().querySelector(selector);
const read = () => fields.map((selector) => field(selector)?.value);
const write = (values) => {
  for (const [index, selector] of fields.entries())
    if (values[index] !== undefined && field(selector)) field(selector).value = values[index];
};

// Replaces the room by an empty one, to be hydrated: the text of `skeleton`, which contains `|` instead of `<`. Keeps the
// typed texts, the focus, and the position (in the form of `browser/location.rs`).
export const renew = (skeleton) => {
  const old = room();
  const values = read();
  const active = document.activeElement;
  const selection = [active?.selectionStart, active?.selectionEnd];
  const timeline = old.querySelector(".timeline");
  const edge = timeline?.getBoundingClientRect().top;
  const below = (message) => message.getBoundingClientRect().bottom - edge;
  const first = [...old.querySelectorAll("[data-seq]")].find((message) => below(message) > 0);
  if (timeline?.scrollTop < -99 && first && history.state === null)
    history.replaceState(`${first.dataset.seq} ${Math.round(below(first) * 100)}`, "");
  old.outerHTML = skeleton.textContent.replaceAll("|", "<");
  room().dataset.renewed = "";
  write(values);
  const focused = fields.find((selector) => old.contains(active) && active.matches(selector));
  if (focused) {
    field(focused).focus();
    field(focused).setSelectionRange(...selection);
  }
};

// Restores a page that shows messages and posts with its form, and shows a notice. `original` is the room as rendered by
// the server.
export const fail = (original) => {
  if (!room()?.querySelector(".room.is-hydrated") && room() !== original) {
    const values = room() ? read() : [];
    room()?.replaceWith(original);
    write(values);
  }
  const view = document.querySelector(".room");
  view.classList.remove("is-hydrated");
  for (const part of view.querySelectorAll(".message [tabindex]")) part.removeAttribute("tabindex");
  view.querySelector(".connection-status").replaceChildren();
  const told = "This page can’t update itself any more. You can still read and write, or reload it.";
  view.querySelector(".notice").replaceChildren(told);
  const draftKey = `parlour:draft:${view.querySelector(".message-list").dataset.room}`;
  const leaveToBrowser = (event) => {
    event.stopImmediatePropagation();
    // A message that is submitted as a form is no longer a draft.
    try {
      if (event.type === "submit") localStorage.removeItem(draftKey);
    } catch {}
  };
  for (const name of ["submit", "keydown", "click", "input", "pagehide"]) addEventListener(name, leaveToBrowser, true);
};
