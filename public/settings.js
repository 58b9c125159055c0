// Settings that are chosen are saved at once, and say so; without this script each has a button. Times are told as the
// visitor's clock and language have them.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const isSameDay = (one, other) => one.toDateString() === other.toDateString();

// The time of today; the day of all others, and the year of another one.
const told = (at, now) => {
  if (isSameDay(at, now)) return at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  const day = at.toLocaleDateString([], { day: "numeric", month: "long", year });
  if (Math.abs(at - now) > 2 * DAY) return day;
  return `${day}, ${at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" })}`;
};
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) continue;
  time.textContent = told(at, new Date());
  time.title = at.toLocaleString([], { dateStyle: "full", timeStyle: "short" });
}

// Replaces what a form said last by what it says in this page.
const show = (form, found) => {
  form.querySelector(".problem")?.remove();
  const problem = found && document.importNode(found, true);
  if (problem) form.append(problem);
  for (const field of form.querySelectorAll("select, input:not([type=hidden])")) {
    field.toggleAttribute("aria-invalid", Boolean(problem));
    if (problem) field.setAttribute("aria-describedby", problem.id);
    else field.removeAttribute("aria-describedby");
  }
};

const problem = (text) => {
  const made = Object.assign(document.createElement("p"), { className: "problem", textContent: text });
  made.setAttribute("role", "alert");
  return made;
};

const save = async (form, saved) => {
  let response;
  try {
    // A field of the form is called `action`, too.
    response = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
  } catch {
    return show(form, problem("That didn’t work: you’re not connected."));
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector(".problem");
  if (response.ok) {
    show(form);
    saved.classList.add("is-visible");
  } else {
    show(form, found ?? problem("That didn’t work. Load this page again."));
  }
};

for (const form of document.querySelectorAll("form[data-saves]")) {
  const saved = form.querySelector(".saved");
  form.classList.add("saves");
  let last = Promise.resolve();
  // One after the other, so that the last choice is the one that stays.
  form.addEventListener("change", () => {
    saved.classList.remove("is-visible");
    last = last.then(() => save(form, saved));
  });
}

// The section of the page that was chosen.
const links = [...document.querySelectorAll(".settings-nav a")];
const follow = () => {
  const chosen = links.find((link) => link.hash === location.hash) ?? links[0];
  for (const link of links) link.toggleAttribute("aria-current", link === chosen);
  chosen?.setAttribute("aria-current", "true");
};
addEventListener("hashchange", follow);
follow();
