// Profiles on a dry track: knobs that turn while it plays, switching at equal loudness, and the blind test.

import { player } from "./sound.js";
import { blind } from "./blind.js";

const LOUDEST = -16, QUIETEST = -70;  // in LUFS

const box = document.querySelector(".listen");
const find = (name) => box.querySelector(name);
const status = find(".status"), track = find(".track"), equal = find(".equal");
const panels = [...box.querySelectorAll(".knobs")];
const sounds = new Map();  // what was heard last, by source: { buffer, loudness, peak }

function tell(words) { status.textContent = words; }

async function reason(reply) {
  try { return (await reply.json()).detail; } catch { return `The server answered ${reply.status}.`; }
}

// A sound of the server, with its samples as they are: decoded at its own rate nothing is resampled.
async function rendered(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(await reason(reply));
  const bytes = await reply.arrayBuffer();
  const decoder = new OfflineAudioContext({ numberOfChannels: 1, length: 1, sampleRate: new DataView(bytes).getUint32(24, true) });
  const [loudness, peak] = ["Loudness", "Peak"].map((name) => Number(reply.headers.get(name)));
  return { buffer: await decoder.decodeAudioData(bytes), loudness, peak };
}

const awaited = new Map();

// The same, asked for once however many wait for it.
function fetched(url) {
  if (!awaited.has(url)) awaited.set(url, rendered(url).finally(() => awaited.delete(url)));
  return awaited.get(url);
}

// ---- knobs ----

function valueOf(knob) {
  if (knob.tagName === "SELECT") return knob.value;
  const { scale } = knob.dataset, [low, high, step] = ["minimum", "maximum", "step"].map((name) => Number(knob.dataset[name]));
  const at = Number(knob.value);
  let value = scale === "log" ? low * (high / low) ** at : low + at * (high - low);
  if (step) value = low + Math.round((value - low) / step) * step;
  return Math.min(Math.max(Number(value.toPrecision(6)), low), high);
}

function spell(knob) {
  if (knob.tagName === "SELECT") return;
  const words = `${Number(Number(valueOf(knob)).toPrecision(4))} ${knob.dataset.unit}`.trim();
  knob.setAttribute("aria-valuetext", words);
  knob.previousElementSibling.textContent = words;
}

// Renders and exports are asked for with the knobs as they stand here.
function hand(knob) {
  const field = document.querySelector(`.upload [name="set:${CSS.escape(knob.dataset.knob)}"]`);
  if (!field) return;
  field.value = "turned" in knob.dataset ? valueOf(knob) : knob.dataset.default;
}

function address(panel) {
  const query = new URLSearchParams({ track: track.value, version: panel.dataset.version });
  // A knob that was not turned stands at its default, whatever a slider makes of that.
  for (const knob of panel.querySelectorAll("[data-turned]")) query.append("set", `${knob.dataset.knob}=${valueOf(knob)}`);
  return `${panel.dataset.sound}?${query}`;
}

// ---- what is heard ----

function source(name) {
  if (name === "dry") return `/api/v1/tracks/${track.value}/sound`;
  if (name === "original") return original() && `/api/v1/tracks/${original()}/sound`;
  return address(panels.find((panel) => panel.dataset.source === name));
}

function original() { return track.selectedOptions[0].dataset.original; }
function names() { return [...panels.map((panel) => panel.dataset.source), "dry", ...(original() ? ["original"] : [])]; }

async function loaded() {
  const wanted = names(), asked = wanted.map(source);
  tell("Rendering.");
  try {
    const found = await Promise.all(asked.map((url, index) => {
      const known = sounds.get(wanted[index]);
      return known && known.url === url ? known : fetched(url).then((sound) => ({ ...sound, url }));
    }));
    sounds.clear();
    wanted.forEach((name, index) => sounds.set(name, found[index]));
  } catch (error) { tell(error.message); throw error; }
  find(".seek").max = seconds();
  tell("");
  return wanted.map((name) => ({ name, buffer: sounds.get(name).buffer }));
}

function seconds() { return sounds.get("dry")?.buffer.duration ?? 0; }

// As loud as the one with the highest peaks for its loudness can be without clipping.
function evenGain(name) {
  const all = [...sounds.values()].filter((each) => each.loudness > QUIETEST && each.peak > 0);
  const target = Math.min(LOUDEST, ...all.map((each) => each.loudness - 20 * Math.log10(each.peak)));
  const { loudness } = sounds.get(name);
  return loudness > QUIETEST ? 10 ** ((target - loudness) / 20) : 1;
}

function gain(name) {
  return equal.checked ? evenGain(name) : 1 / Math.max(1, ...[...sounds.values()].map((each) => each.peak));
}

const heard = player(find(".player"), { load: loaded, gain, seconds });
const letter = (name) => find(`.which[data-letter=${name}]`).value;
const test = blind(find(".abx"), {
  load: async () => {
    await loaded();
    return { A: sounds.get(letter("A")).buffer, B: sounds.get(letter("B")).buffer };
  },
  gain: (name) => evenGain(letter(name)),
});

// Of the turns of a knob that come while one is rendered, the last is rendered next.
async function turned(panel) {
  panel.isWaiting = true;
  if (panel.isBusy) return;
  panel.isBusy = true;
  test.renew();
  try {
    while (panel.isWaiting) {
      panel.isWaiting = false;
      tell("Rendering.");
      const name = panel.dataset.source, url = address(panel), begun = performance.now();
      const sound = await fetched(url);
      if (url !== address(panel)) continue;
      sounds.set(name, { ...sound, url });
      heard.swap(name, sound.buffer);
      heard.blend();
      tell(`Rendered in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
    }
  } catch (error) {
    tell(error.message);
  } finally {
    panel.isBusy = false;
  }
}

for (const panel of panels) {
  const knobs = [...panel.querySelectorAll("[data-knob]")];
  for (const knob of knobs) {
    if ("set" in knob.dataset) Object.assign(knob, { value: knob.dataset.set }).dataset.turned = "";  // so the link to this page says
    spell(knob);
    knob.addEventListener("input", () => { knob.dataset.turned = ""; spell(knob); hand(knob); turned(panel); });
  }
  panel.querySelector(".defaults")?.addEventListener("click", () => {
    for (const knob of knobs) {
      delete knob.dataset.turned;
      if (knob.tagName === "SELECT") knob.value = [...knob.options].find((each) => each.defaultSelected).value;
      else knob.value = knob.defaultValue;
      spell(knob);
      hand(knob);
    }
    turned(panel);
  });
}

// ---- tracks ----

function showOriginal() {
  const there = Boolean(original());
  find(".player input[value=original]").closest("label").hidden = !there;
  for (const option of box.querySelectorAll(".which option[value=original]")) option.hidden = option.disabled = !there;
  for (const which of box.querySelectorAll(".which")) if (which.value === "original" && !there) which.value = "dry";
  if (!there && find(".player input[value=original]").checked) find(".player input[value=dry]").checked = true;
  const isOwn = "own" in track.selectedOptions[0].dataset;
  for (const each of box.querySelectorAll(".own-original, .remove")) each.disabled = !isOwn;
}

function changed() {
  showOriginal();
  test.renew();
  heard.renew().catch(() => {});
}
track.addEventListener("change", changed);

async function keep(input, about) {
  const file = input.files[0];
  if (!file) return null;
  tell(`Sending ${file.name}.`);
  const query = new URLSearchParams({ name: file.name.slice(0, 120), start: find(".from").value.replace(",", ".") || "0", ...about });
  try {
    const reply = await fetch(`/api/v1/tracks?${query}`, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
    if (!reply.ok) throw new Error(await reason(reply));
    tell(`${file.name} is there to listen to.`);
    return await reply.json();
  } catch (error) {
    tell(error.message);
    return null;
  } finally {
    input.value = "";
  }
}

find(".own-track")?.addEventListener("change", async (event) => {
  const made = await keep(event.target, {});
  if (!made) return;
  const option = new Option(`${made.name} (yours)`, made.id, false, true);
  option.dataset.own = "";
  track.append(option);
  changed();
});
find(".own-original")?.addEventListener("change", async (event) => {
  const option = track.selectedOptions[0];
  const made = await keep(event.target, { original_of: option.value });
  if (!made) return;
  option.dataset.original = made.id;
  changed();
});

find(".remove")?.addEventListener("click", async () => {
  const option = track.selectedOptions[0];
  const reply = await fetch(`/api/v1/tracks/${option.value}`, { method: "DELETE" });
  if (!reply.ok) { tell(await reason(reply)); return; }
  option.remove();
  track.focus();
  changed();
  tell(`${option.text} is gone.`);
});

showOriginal();
loaded().catch(() => {});  // at once, so that the first turn of a knob finds the profile loaded
