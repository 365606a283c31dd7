"use strict";
(() => {
const FADE = 0.012;
const sounds = JSON.parse(document.getElementById("sounds").textContent);
const decoded = new Map();
let context = null;
let playing = null;

function audio() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  return context;
}

async function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return audio().decodeAudioData(bytes.buffer);
}

// Dry, gear and learnt of an excerpt as buffers of one length, and gear less learnt.
function buffers(index) {
  if (!decoded.has(index)) {
    const { dry, gear, learnt } = sounds[index];
    decoded.set(index, Promise.all([dry, gear, learnt].map((sound) => decode(sound.flac))).then(([d, g, l]) => {
      const difference = new AudioBuffer({ length: g.length, sampleRate: g.sampleRate });
      const [one, other, out] = [g.getChannelData(0), l.getChannelData(0), difference.getChannelData(0)];
      for (let frame = 0; frame < out.length; frame++) out[frame] = one[frame] - other[frame];
      return { dry: d, gear: g, learnt: l, difference };
    }));
  }
  return decoded.get(index);
}

// Plays buffers side by side from one instant on; only their gains say which is heard, so that a switch leaves no gap.
class Tracks {
  constructor(told) {
    this.told = told;
    this.list = [];
    this.at = 0;
    this.looped = true;
    this.length = 0;
    this.turn = 0;
  }

  get running() { return this.list.some((track) => track.source); }

  load(list) {
    const was = this.running;
    this.stop();
    this.list = list.map((track) => ({ ...track, source: null, gain: null }));
    this.length = list.length ? list[0].buffer.duration : 0;
    return was;
  }

  start(loud) {
    const turn = ++this.turn, when = audio().currentTime + 0.03;
    this.begun = when - this.at;
    for (const track of this.list) {
      track.source = new AudioBufferSourceNode(audio(), { buffer: track.buffer, loop: this.looped });
      track.gain = new GainNode(audio(), { gain: 0 });
      track.source.connect(track.gain).connect(audio().destination);
      track.gain.gain.setValueAtTime(0, when);
      track.gain.gain.linearRampToValueAtTime(loud(track.name), when + FADE);
      track.source.start(when, Math.min(this.at, this.length));
    }
    const first = this.list[0];
    if (first) first.source.onended = () => { if (turn === this.turn && first.source) { this.stop(); this.at = 0; this.told(); } };
    this.told();
  }

  blend(loud) {
    const now = context ? context.currentTime : 0;
    for (const track of this.list) {
      if (!track.gain) continue;
      const level = track.gain.gain;
      level.cancelScheduledValues(now);
      level.setValueAtTime(level.value, now);
      level.linearRampToValueAtTime(loud(track.name), now + FADE);
    }
  }

  stop() {
    this.at = this.place();
    for (const track of this.list) {
      if (!track.source) continue;
      const end = context.currentTime + FADE;
      track.gain.gain.cancelScheduledValues(0);
      track.gain.gain.setValueAtTime(track.gain.gain.value, context.currentTime);
      track.gain.gain.linearRampToValueAtTime(0, end);
      track.source.stop(end);
      track.source = null;
    }
    this.told();
  }

  place() {
    if (!this.running) return this.at;
    const passed = Math.max(context.currentTime - this.begun, 0);
    return this.looped && this.length ? passed % this.length : Math.min(passed, this.length);
  }

  loop(looped) {
    this.begun = context && this.running ? context.currentTime - this.place() : this.begun;
    this.looped = looped;
    for (const track of this.list) if (track.source) track.source.loop = looped;
  }
}

async function play(tracks, loud) {
  if (playing && playing !== tracks) playing.stop();
  playing = tracks;
  await audio().resume();
  tracks.start(loud);
}

function labelled(button, running) {
  button.textContent = running ? "Pause" : "Play";
  button.setAttribute("aria-pressed", String(running));
}

function player(box) {
  const index = Number(box.dataset.sound), sound = sounds[index];
  const find = (name) => box.querySelector(name);
  const [button, seek, at] = [find(".play"), find(".seek"), find(".at")];
  const [loop, equal, amplify] = [find(".loop"), find(".equal"), find(".amplify")];
  const tracks = new Tracks(() => labelled(button, tracks.running));
  const chosen = () => box.querySelector(".sources input:checked").value;
  const loud = (name) => {
    if (name !== chosen()) return 0;
    const of = sound[name === "difference" ? "gear" : name];
    const gain = equal.checked ? of.equal_gain : of.true_gain;
    return name === "difference" && amplify.checked ? gain * 10 ** (sound.amplify_db / 20) : gain;
  };
  let loading = null;
  const toggle = async () => {
    if (tracks.running) { tracks.stop(); return; }
    loading ??= buffers(index).then((each) => {
      const place = tracks.at;
      tracks.load(Object.entries(each).map(([name, buffer]) => ({ name, buffer })));
      tracks.at = place;
    });
    await loading;
    await play(tracks, loud);
  };
  button.addEventListener("click", toggle);
  box.querySelectorAll(".sources input, .equal, .amplify").forEach((each) => each.addEventListener("change", () => tracks.blend(loud)));
  loop.addEventListener("change", () => tracks.loop(loop.checked));
  seek.addEventListener("input", () => {
    const was = tracks.running;
    if (was) tracks.stop();
    tracks.at = Number(seek.value);
    if (was) tracks.start(loud);
    show();
  });
  const show = () => {
    const place = tracks.place();
    seek.value = place;
    seek.setAttribute("aria-valuetext", `${place.toFixed(1)} seconds`);
    at.textContent = `${place.toFixed(1)} of ${sound.seconds.toFixed(1)} s`;
  };
  const tick = () => { if (tracks.running) show(); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  box.addEventListener("keydown", (event) => {
    const typed = event.target.matches("input[type=checkbox], button");
    const number = "1234".indexOf(event.key);
    if (event.key === " " && !typed) toggle();
    else if (number >= 0 && event.key) {
      box.querySelectorAll(".sources input")[number].checked = true;
      tracks.blend(loud);
    } else if (event.key.toLowerCase() === "l" && !event.ctrlKey && !event.metaKey) {
      loop.checked = !loop.checked;
      tracks.loop(loop.checked);
    } else return;
    event.preventDefault();
  });
  box.hidden = false;
}

// The chance of at least `right` of `count` by guessing, summed exactly enough in logarithms.
function chance(right, count) {
  const logs = [0];
  for (let each = 1; each <= count; each++) logs.push(logs[each - 1] + Math.log(each));
  let sum = 0;
  for (let each = right; each <= count; each++) sum += Math.exp(logs[count] - logs[each] - logs[count - each] - count * Math.LN2);
  return Math.min(sum, 1);
}

function verdict(right, count) {
  if (!count) return "No trial yet.";
  const p = chance(right, count), said = `${right} of ${count} right, p = ${p < 0.001 ? p.toExponential(2) : p.toPrecision(3)}. `;
  if (p <= 0.01) return said + "You hear the difference: guessing would come to this once in a hundred times or less.";
  if (p <= 0.05) return said + "You probably hear a difference: guessing comes to this at most once in twenty times.";
  return said + (count < 8 ? "Too few trials to tell." : "This could be chance: you have not told them apart.");
}

function blind(box) {
  const find = (name) => box.querySelector(name);
  const [button, which, trials] = [find(".play"), find(".which"), find(".trials")];
  const [count, result, reveal] = [find(".count"), find(".result"), find(".reveal")];
  const answers = box.querySelectorAll(".answer");
  const tracks = new Tracks(() => labelled(button, tracks.running));
  let hidden, done, right, loaded = null;
  const drawn = () => crypto.getRandomValues(new Uint8Array(1))[0] & 1;
  const chosen = () => find(".sources input:checked").value;
  const heard = (name) => {
    const wanted = chosen() === "X" ? (hidden ? "B" : "A") : chosen();
    return name === wanted;
  };
  const loud = (name) => {
    const sound = sounds[Number(which.value)];
    return heard(name) ? sound[name === "A" ? "gear" : "learnt"].equal_gain : 0;
  };
  const tell = () => {
    const most = Number(trials.value);
    count.textContent = done ? `${done} of ${most} trials answered.` : "Listen to A, B and X, then say which one X is.";
    answers.forEach((each) => { each.disabled = done >= most; });
    if (done >= most) result.textContent = verdict(right, done);
  };
  const begin = () => { hidden = drawn(); done = right = 0; result.textContent = ""; reveal.disabled = false; tell(); };
  const toggle = async () => {
    if (tracks.running) { tracks.stop(); return; }
    const index = Number(which.value);
    if (loaded !== index) {
      const { gear, learnt } = await buffers(index);
      tracks.load([{ name: "A", buffer: gear }, { name: "B", buffer: learnt }]);
      loaded = index;
      tracks.at = 0;
    }
    await play(tracks, loud);
  };
  button.addEventListener("click", toggle);
  box.querySelectorAll(".sources input").forEach((each) => each.addEventListener("change", () => tracks.blend(loud)));
  answers.forEach((each) => each.addEventListener("click", () => {
    if (done >= Number(trials.value)) return;
    right += (each.value === "B") === Boolean(hidden);
    done += 1;
    hidden = drawn();
    result.textContent = "";
    tell();
    tracks.blend(loud);
  }));
  // A result seen half way would let one stop when it suits: what follows is a new test.
  reveal.addEventListener("click", () => {
    result.textContent = verdict(right, done);
    answers.forEach((each) => { each.disabled = true; });
    reveal.disabled = true;
  });
  find(".again").addEventListener("click", begin);
  trials.addEventListener("change", begin);
  which.addEventListener("change", () => { tracks.stop(); begin(); });
  begin();
  box.hidden = false;
}

document.querySelectorAll(".player").forEach(player);
document.querySelectorAll(".abx").forEach(blind);
})();
