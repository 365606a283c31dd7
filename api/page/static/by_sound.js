// Search by recordings: one that gear made, or a dry and its wet, whose knobs a job then fits.

import { sent, teller } from "./send.js";

// Sends what a form has when that is wanted, and hands on what the server says.
function sends(form, { path, limit, content, words, take }) {
  const tell = teller(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const whole = content();
    if (whole.size > limit) { tell("", `This has ${whole.size} bytes; at most ${limit} are taken.`); return; }
    tell(words);
    sent(form, path(), whole, tell, (response) => take(response, tell));
  });
}

function made(name, words, more = {}) {
  const node = document.createElement(name);
  node.textContent = words;
  return Object.assign(node, more);
}

function spelt(knob, value) {
  return `${knob.name} ${knob.choices.length ? value : `${Number(Number(value).toPrecision(4))} ${knob.unit}`.trim()}`;
}

function card({ entry, settings, distance }) {
  const query = new URLSearchParams({ version: entry.version.number }), knobs = entry.version.facts.knobs;
  for (const [id, value] of Object.entries(settings)) query.append("set", `${id}=${value}`);
  const title = made("h3", ""), at = knobs.filter(({ id }) => id in settings).map((knob) => spelt(knob, settings[knob.id]));
  title.append(made("a", entry.name, { href: `/profiles/${entry.id}?${query}` }));
  const item = made("li", "", { className: "card" });
  item.append(title, made("p", at.length ? `At ${at.join(", ")}` : "It has no knobs."), made("p", `Distance ${distance.toFixed(2)}`, { className: "small" }));
  return item;
}

const alike = document.querySelector(".alike");
sends(alike, {
  path: () => "/api/v1/search/sound",
  limit: Number(alike.dataset.limit),
  content: () => alike.querySelector("input").files[0],
  words: "Listening.",
  take({ data, heard, unheard }, tell) {
    document.querySelector(".found").replaceChildren(...data.map(card));
    const waiting = unheard ? ` ${unheard} more have not been listened to yet.` : "";
    tell(data.length ? `${data.length} of ${heard} profiles, the most alike first.${waiting}` : `The library has listened to no profile yet.${waiting}`);
  },
});

const pair = document.querySelector(".pair");
if (pair) {
  const [dry, wet] = ["dry", "wet"].map((name) => pair.querySelector(`input[name=${name}]`));
  sends(pair, {
    path: () => `/api/v1/jobs/match?${new URLSearchParams({ dry_bytes: dry.files[0].size, name: wet.files[0].name.slice(0, 120) })}`,
    limit: Number(pair.dataset.limit),
    content: () => new Blob([dry.files[0], wet.files[0]]),
    words: "Sending and listening.",
    take(job, tell) {
      tell("It is queued: ");
      const link = made("a", job.title, { href: `/jobs/${job.id}` });
      pair.querySelector(".status").append(link);
      link.focus();
    },
  });
}

// What misses a field would lead away from this page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => { if (!event.target.matches("input[type=file]")) event.preventDefault(); });
