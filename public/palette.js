// The palette of all emoji, which few visitors open: loads emoji.html and palette.css once, finds emoji by their names, and
// moves by the arrow keys. A click on an emoji is handled by the dialog.

const RECENT_KEY = "parlour:recent-emoji";
const TONE_KEY = "parlour:skin-tone";
const MAX_RECENT = 8;
const SIGNS = { Recent: "🕘", Smileys: "😀", People: "👋", "Animals and nature": "🐻", "Food and drink": "🍎", "Travel and places": "🚲", Activities: "⚽", Objects: "💡", Symbols: "❣️", Flags: "🏁" };
const TONES = [["none", ""], ["light", "🏻"], ["medium light", "🏼"], ["medium", "🏽"], ["medium dark", "🏾"], ["dark", "🏿"]];

let loading;

const load = async () => {
  const fragment = await fetch(new URL("emoji.html", import.meta.url));
  if (!fragment.ok) throw new Error(`${fragment.status}`);
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("palette.css", import.meta.url) });
  const styled = new Promise((done) => (sheet.onload = sheet.onerror = done));
  document.head.append(sheet);
  const [text] = await Promise.all([fragment.text(), styled]);
  return text;
};

// A browser that stores nothing forgets.
const read = (key) => {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
};
const write = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {}
};

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// The words of a name, each after a space: what is looked for is the beginning of one.
const plain = (name) => ` ${name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()}`;

// An emoji of one person with the skin tone: after its base, instead of the presentation selector.
const toned = (emoji, tone) => {
  const bases = emoji.match(/\p{Emoji_Modifier_Base}/gu) ?? [];
  return bases.length === 1 && tone ? emoji.replace(/(\p{Emoji_Modifier_Base})\uFE0F?/u, `$1${tone}`) : emoji;
};

export const open = async (button) => {
  const dialog = button.closest("dialog");
  loading ??= load();
  let text;
  try {
    text = await loading;
  } catch {
    loading = undefined;
    return;
  }
  if (button.isConnected) build(dialog, button.parentElement, text);
};

const build = (dialog, place, text) => {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  const page = new DOMParser().parseFromString(text, "text/html");
  const quick = dialog.querySelector(".emoji");
  const recent = element("div", { className: "emoji" });
  const grids = element("div", { className: "palette-grids" }, element("h2", { textContent: "Recent" }), recent, ...page.body.childNodes);
  const all = [...grids.querySelectorAll("button")];
  const names = new Map(all.map((it) => [it.textContent, it.title]));
  for (const it of all) it.dataset.emoji = it.textContent;
  const firsts = [...quick.children].map((it) => it.textContent);
  quick.remove();

  const search = element("input", { type: "search", placeholder: "Search", ariaLabel: "Search emoji" });
  const icon = new DOMParser().parseFromString('<svg xmlns="http://www.w3.org/2000/svg" class="icon icon-s" viewBox="0 0 20 20" aria-hidden="true"><circle cx="8.75" cy="8.75" r="5.25"/><path d="M12.75 12.75 17 17"/></svg>', "image/svg+xml").documentElement;
  const headings = [...grids.querySelectorAll("h2")];
  // A heading that sticks has left its place, which is above its grid.
  const upper = (heading) => heading.nextElementSibling.offsetTop - heading.offsetHeight;
  const tab = (heading, index) => {
    const name = heading.textContent;
    const made = element("button", { type: "button", role: "tab", title: name, ariaLabel: name, textContent: SIGNS[name] ?? name[0] });
    made.onclick = () => {
      if (search.value) find("");
      grids.scrollTop = index ? upper(heading) : 0;
    };
    return made;
  };
  const tabs = headings.map(tab);
  const groups = element("div", { className: "palette-groups", role: "tablist", ariaLabel: "Groups" }, ...tabs);
  const sign = element("span", { ariaHidden: "true" });
  const named = element("b", {});
  const tone = element("button", { type: "button", className: "button-quiet small" });
  const foot = element("div", { className: "palette-foot" }, sign, named, tone);

  const buttons = () => [...grids.querySelectorAll("button")];
  const shown = () => buttons().filter((it) => !it.hidden);
  // One stop in the tab order.
  const aim = (target) => {
    for (const it of buttons()) it.tabIndex = -1;
    if (target) target.tabIndex = 0;
  };
  const tell = (it) => {
    sign.textContent = it?.textContent ?? "";
    named.textContent = it?.ariaLabel ?? "";
  };
  const toneNow = () => TONES.find(([name]) => name === read(TONE_KEY)) ?? TONES[0];
  const fill = () => {
    const stored = read(RECENT_KEY).split(" ").filter((it) => names.has(it));
    const wanted = [...new Set([...stored, ...firsts])].slice(0, MAX_RECENT);
    recent.replaceChildren(...wanted.map((emoji) => {
      const made = element("button", { textContent: emoji, title: names.get(emoji) ?? "" });
      made.dataset.emoji = emoji;
      return made;
    }));
    const [name, mark] = toneNow();
    for (const it of buttons()) {
      it.type = "button";
      it.ariaLabel = it.title || it.dataset.emoji;
      it.textContent = toned(it.dataset.emoji, mark);
    }
    tone.textContent = `${toned("✋", mark)} Tone`;
    tone.ariaLabel = `Skin tone: ${name}`;
    aim(shown()[0]);
    tell(shown()[0]);
  };
  const find = (wanted) => {
    search.value = wanted;
    const words = plain(wanted);
    for (const it of buttons()) it.hidden = !plain(it.title).includes(words) || (words !== " " && recent.contains(it));
    for (const heading of headings) {
      const grid = heading.nextElementSibling;
      heading.hidden = grid.hidden = !grid.querySelector("button:not([hidden])");
    }
    groups.hidden = words !== " ";
    grids.scrollTop = 0;
    const [first] = shown();
    aim(first);
    tell(first);
  };
  const mark = () => {
    // A closed dialog has no measures, and opens at the first group.
    const passed = headings.filter((heading) => grids.clientHeight && upper(heading) <= grids.scrollTop + 8);
    const current = tabs[Math.max(0, passed.length - 1)];
    for (const it of tabs) {
      it.ariaSelected = String(it === current);
      it.tabIndex = it === current ? 0 : -1;
    }
  };

  search.oninput = () => find(search.value);
  search.onkeydown = (event) => {
    const [first] = shown();
    if (event.key === "ArrowDown") first?.focus();
    else if (event.key === "Enter") first?.click();
    else return;
    event.preventDefault();
  };
  grids.onscroll = mark;
  grids.onmouseover = grids.onfocus = ({ target }) => target.dataset.emoji && tell(target);
  grids.addEventListener("focusin", ({ target }) => target.dataset.emoji && tell(target));
  const isRightToLeft = () => getComputedStyle(grids).direction === "rtl";
  const sideways = (key) => ({ ArrowRight: 1, ArrowLeft: -1 })[key] * (isRightToLeft() ? -1 : 1);
  groups.onkeydown = (event) => {
    const step = sideways(event.key);
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  };
  grids.onkeydown = (event) => {
    const targets = shown();
    const index = targets.indexOf(document.activeElement);
    if (index < 0) return;
    const area = (it) => it.getBoundingClientRect();
    const from = area(targets[index]);
    let next;
    if (sideways(event.key)) next = targets[index + sideways(event.key)];
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      // The nearest one in the next row, across groups.
      const isDown = event.key === "ArrowDown";
      const beyond = targets.filter((it) => (isDown ? area(it).top >= from.bottom - 1 : area(it).bottom <= from.top + 1));
      const edge = isDown ? Math.min(...beyond.map((it) => area(it).top)) : Math.max(...beyond.map((it) => area(it).top));
      const row = beyond.filter((it) => Math.abs(area(it).top - edge) < 2);
      const distance = (it) => Math.abs(area(it).left - from.left);
      next = row.sort((one, other) => distance(one) - distance(other))[0];
      if (!next && !isDown) next = search;
    } else return;
    event.preventDefault();
    if (!next) return;
    if (next !== search) aim(next);
    next.focus();
  };
  tone.onclick = () => {
    const index = TONES.indexOf(toneNow());
    write(TONE_KEY, TONES[(index + 1) % TONES.length][0]);
    fill();
    find(search.value);
  };
  dialog.addEventListener("click", ({ target }) => {
    const emoji = target.closest?.(".emoji button")?.dataset.emoji;
    if (emoji) write(RECENT_KEY, [...new Set([emoji, ...read(RECENT_KEY).split(" ")])].slice(0, MAX_RECENT).join(" ").trim());
  });
  dialog.addEventListener("close", () => {
    fill();
    find("");
    mark();
  });

  // The keyboard of a touch screen comes only when the field is tapped.
  const grab = element("div", { className: "palette-grab", tabIndex: -1, autofocus: isTouch });
  place.replaceChildren(grab, element("div", { className: "palette-head joined" }, icon, search), groups, grids, foot);
  dialog.classList.add("is-whole");
  fill();
  mark();
  (isTouch ? grab : search).focus();
};
