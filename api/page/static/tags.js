// Proposals answered by one click or key: what is said is learnt at once, and the page shows what that changed.

const [status, problem] = [".status", ".problem"].map((name) => document.querySelector(name));
const LEAST = 0.005;  // what percentages do not show is no change

const proposals = (page) => new Map([...page.querySelectorAll(".proposal")].map((each) => [each.dataset.proposal, each]));
const percent = (sure) => `${Math.round(100 * sure)} %`;

let isBusy = false;

function tell(words, trouble = "") {
  status.textContent = words;
  problem.textContent = trouble;
  problem.hidden = !trouble;
}

// Puts in what the server shows now, says of each proposal how sure it was before, and returns what changed, in words.
function take(page) {
  const before = proposals(document), now = proposals(page);
  let changed = 0, came = 0;
  for (const [key, card] of now) {
    const old = before.get(key), was = card.querySelector(".was");
    if (!old) {
      was.textContent = ", new";
      came += 1;
    } else if (Math.abs(old.dataset.sure - card.dataset.sure) >= LEAST) {
      was.textContent = `, before ${percent(old.dataset.sure)}`;
      changed += 1;
    }
  }
  for (const part of page.querySelectorAll("[data-part]")) document.querySelector(`[data-part=${part.dataset.part}]`).replaceChildren(...part.childNodes);
  const gone = [...before.keys()].filter((key) => !now.has(key)).length;
  return [came && `${came} new`, changed && `${changed} changed`, gone && `${gone} gone`].filter(Boolean).join(", ");
}

// The next proposal, or where the last of them was, so that one goes on by keys.
function goOn(place) {
  const cards = document.querySelectorAll(".proposal"), card = cards[Math.min(place, cards.length - 1)];
  const to = card?.querySelector("button") ?? document.querySelector("[data-part=said] button") ?? document.querySelector("h1");
  if (to.tagName === "H1") to.tabIndex = -1;
  to.focus();
}

async function say(form, button) {
  if (isBusy) return;
  isBusy = true;
  const place = [...document.querySelectorAll(".proposal")].indexOf(form.closest(".proposal"));
  const words = button.getAttribute("aria-label").replace(/^Take back that/, "Taken back:");
  try {
    const reply = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(new FormData(form, button)) });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (!reply.ok) { tell("", page.querySelector(".problem")?.textContent ?? `The server answered ${reply.status}.`); return; }
    const changes = take(page);
    tell(`${words}. ${changes ? `Proposals: ${changes}.` : "No proposal changed."}`);
    if (form.tag?.type !== "hidden") form.reset();
    goOn(Math.max(place, 0));
  } catch {
    tell("", "The server cannot be reached. Try again.");
  } finally {
    isBusy = false;
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || !event.target.elements.tag) return;
  event.preventDefault();
  say(event.target, event.submitter);
});
document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.(".proposal"), value = { y: "yes", n: "no" }[event.key.toLowerCase()];
  if (!card || !value || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  card.querySelector(`button[value=${value}]`).click();
});
