// Jobs as they go on. The server tells of each change; what a card says is the server's own words, asked for again.

const MOST = 3;  // browsers have six connections to a server for all their pages, and others want some
const LOOK_MS = 5000;

const [list, none, stale] = [".jobs", ".none", ".stale"].map((name) => document.querySelector(name));
const watched = new Map();  // what tells of a job, by the job
const parts = new WeakMap();  // what the server made of a part of a card, which people may have opened since

let isLooking = false, isWanted = false, isStale = false;

const cards = () => [...list.querySelectorAll(".job")];
const goesOn = (card) => ["queued", "running"].includes(card.dataset.state);

function clock(seconds) {
  const whole = Math.round(seconds);
  return whole < 100 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

function far({ done, seconds_left: left, note }) {
  return [`${Math.floor(100 * done)} %`, left === null ? "" : `${clock(left)} left`, note].filter(Boolean).join(", ");
}

function remember(card) {
  for (const part of card.querySelectorAll("[data-part]")) parts.set(part, part.innerHTML);
  return card;
}

// Puts into a card what has changed, and leaves the rest alone: where somebody reads, and what has the focus.
function take(card, newer) {
  if (Number(newer.dataset.revision) < Number(card.dataset.revision)) return;
  for (const part of newer.querySelectorAll("[data-part]")) {
    const place = card.querySelector(`[data-part=${part.dataset.part}]`), made = part.innerHTML;
    if (parts.get(place) === made) continue;
    const hadFocus = place.contains(document.activeElement), isOpen = place.querySelector("details")?.open;
    place.replaceChildren(...part.childNodes);
    if (isOpen !== undefined && place.querySelector("details")) place.querySelector("details").open = isOpen;
    parts.set(place, made);
    if (hadFocus) (place.querySelector("a, button, summary") ?? card.querySelector("a")).focus();
  }
  Object.assign(card.dataset, newer.dataset);
}

// Takes what the server says of this page now: jobs that came, that changed, that went.
async function looked() {
  const answer = fetch(location.pathname + location.search).then((reply) => reply.ok || reply.status === 404 ? reply.text() : null);
  const text = await answer.catch(() => null);
  isStale = text === null;
  stale.textContent = isStale ? "The server does not answer as it should; this may be old." : "";
  if (isStale) return;
  const page = new DOMParser().parseFromString(text, "text/html"), newer = [...page.querySelectorAll(".job")];
  for (const card of cards()) if (!newer.some(({ id }) => id === card.id)) card.remove();
  newer.forEach((each, place) => {
    const card = document.getElementById(each.id);
    if (card) take(card, each);
    else list.insertBefore(remember(document.adoptNode(each)), cards()[place] ?? null);
  });
  if (none) none.hidden = newer.length > 0;
}

// Of the looks that are wanted while one is taken, the last is taken next.
async function look() {
  isWanted = true;
  if (isLooking) return;
  isLooking = true;
  while (isWanted) {
    isWanted = false;
    await looked();
  }
  isLooking = false;
  watch();
}

function show(card, { state, progress, findings }) {
  const { dataset } = card;
  if (state !== dataset.state || (progress?.step ?? "") !== dataset.step || String(findings.length) !== dataset.found) {
    look();
    return;
  }
  const bar = card.querySelector("progress");
  if (!bar || !progress) return;
  parts.delete(bar.closest("[data-part]"));  // it is not as the server made it any more
  bar.value = progress.done;
  bar.setAttribute("aria-valuetext", far(progress));
  card.querySelector(".far").textContent = far(progress);
}

function open(card) {
  const source = new EventSource(`/api/v1/jobs/${card.dataset.job}/events`);
  source.addEventListener("job", ({ data }) => show(card, JSON.parse(data)));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;  // it asks again by itself
    close(card.dataset.job);
    isStale = true;  // so it is looked at, but not at once: the server may have much to do
  });
  watched.set(card.dataset.job, source);
}

function close(id) {
  watched.get(id).close();
  watched.delete(id);
}

// Those that run, then those whose turn comes first; nothing while nobody looks.
function watch() {
  const unfinished = document.hidden ? [] : cards().filter(goesOn).reverse();
  const first = unfinished.sort((one, other) => (other.dataset.state === "running") - (one.dataset.state === "running")).slice(0, MOST);
  for (const id of [...watched.keys()]) if (!first.some(({ dataset }) => dataset.job === id)) close(id);
  for (const card of first) if (!watched.has(card.dataset.job)) open(card);
}

// What is not watched is looked at now and then.
setInterval(() => { if (!document.hidden && (isStale || cards().filter(goesOn).length > watched.size)) look(); }, LOOK_MS);
document.addEventListener("visibilitychange", () => { if (document.hidden) watch(); else look(); });
document.querySelector(".upload")?.addEventListener("sent", look);
cards().forEach(remember);
watch();
