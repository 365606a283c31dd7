// A file dropped or chosen is sent as it is; what became of it is said in words.

import { sent, teller } from "./send.js";

const form = document.querySelector(".upload");
const [file, drop, status] = ["#file", ".drop", ".status"].map((name) => form.querySelector(name));
const tell = teller(form);

// The fields as the query of an upload: of a list each is one of its own, some say nothing where another says it, and
// set:KNOB is where a knob stands.
function query() {
  const told = new URLSearchParams();
  for (const { name, value, dataset } of form.elements) {
    if (!name || !value.trim() || form.elements[dataset.unless]?.value.trim()) continue;
    const [key, knob] = name.split(/:(.*)/s);
    for (const part of "list" in dataset ? value.split(",") : [value]) if (part.trim()) told.append(key, knob ? `${knob}=${part.trim()}` : part.trim());
  }
  return told;
}

function upload() {
  const chosen = file.files[0], limit = Number(form.dataset.limit);
  if (chosen.size > limit) { tell("", `${chosen.name} has ${chosen.size} bytes; at most ${limit} are taken.`); return; }
  tell(`Sending ${chosen.name}.`);
  sent(form, `${form.dataset.path}?${query()}`, chosen, tell, (response, code) => {
    tell(code === 201 ? form.dataset.kept : "The library has this very file already: ");
    const link = document.createElement("a");
    link.href = form.dataset.leads + response.id;
    link.textContent = response.name ?? response.title;
    status.append(link);
    link.focus();
    form.dispatchEvent(new CustomEvent("sent", { detail: response }));
  });
}

const isForAnother = ({ target }) => target !== file && target instanceof HTMLInputElement && target.type === "file";

form.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) return;  // it goes where it would without script
  event.preventDefault();
  upload();
});
addEventListener("dragover", (event) => {
  if (isForAnother(event)) return;
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  if (isForAnother(event)) return;
  event.preventDefault();
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  file.files = event.dataTransfer.files;
  tell(`${file.files[0].name} is chosen.`);
});
