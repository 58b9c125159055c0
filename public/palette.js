// The palette of all emoji, which few visitors open: loads emoji.html once, finds emoji by their names, and moves by the
// arrow keys. A click on an emoji is handled by the dialog.

let fragment;

export const open = async (button) => {
  const dialog = button.closest("dialog");
  fragment ??= fetch(new URL("emoji.html", import.meta.url)).then((response) => response.text());
  let text;
  try {
    text = await fragment;
  } catch {
    fragment = undefined;
    return;
  }
  const more = button.parentElement;
  const input = Object.assign(document.createElement("input"), { type: "search", className: "input", placeholder: "Search", ariaLabel: "Search emoji" });
  const grids = Object.assign(document.createElement("div"), { className: "palette-grids" });
  const page = new DOMParser().parseFromString(text, "text/html");
  grids.append(...page.body.childNodes);
  const buttons = [...grids.querySelectorAll("button")];
  for (const it of buttons) {
    it.type = "button";
    it.tabIndex = -1;
    it.ariaLabel = it.title;
  }
  buttons[0].tabIndex = 0;
  more.replaceChildren(input, grids);
  input.focus();
  input.oninput = () => {
    const wanted = input.value.trim().toLowerCase();
    for (const it of buttons) it.hidden = !it.title.toLowerCase().includes(wanted);
    for (const grid of grids.querySelectorAll(".emoji")) {
      grid.previousElementSibling.hidden = grid.hidden = !grid.querySelector("button:not([hidden])");
    }
  };
  input.onkeydown = (event) => {
    const first = buttons.find((it) => !it.hidden);
    if (event.key == "ArrowDown") first?.focus();
    else if (event.key == "Enter") first?.click();
    else return;
    event.preventDefault();
  };
  grids.onkeydown = (event) => {
    const shown = buttons.filter((it) => !it.hidden);
    const index = shown.indexOf(document.activeElement);
    if (index < 0) return;
    const { width } = shown[index].getBoundingClientRect();
    const columns = Math.max(1, Math.floor(grids.clientWidth / width));
    const isStart = getComputedStyle(grids).direction == "rtl" ? -1 : 1;
    const step = { ArrowRight: isStart, ArrowLeft: -isStart, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    event.preventDefault();
    if (index + step < 0) return input.focus();
    const next = shown[Math.min(index + step, shown.length - 1)];
    shown[index].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
};
