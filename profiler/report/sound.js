// Sounds side by side, of which one is heard: switching leaves no gap. Shared by the report and the library's page.

const FADE = 0.012;
let context = null;
let playing = null;

export function audio() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  return context;
}

// Plays buffers side by side from one instant on; only their gains say which is heard, so that a switch leaves no gap.
export class Tracks {
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

  // Puts another buffer in the place of one, heard from where that one is.
  swap(name, buffer, loud) {
    const track = this.list.find((each) => each.name === name);
    const old = { source: track.source, gain: track.gain };
    track.buffer = buffer;
    if (!old.source) return;
    const now = audio().currentTime, end = now + FADE;
    track.source = new AudioBufferSourceNode(audio(), { buffer, loop: this.looped });
    track.gain = new GainNode(audio(), { gain: 0 });
    track.source.connect(track.gain).connect(audio().destination);
    track.gain.gain.setValueAtTime(0, now);
    track.gain.gain.linearRampToValueAtTime(loud(name), end);
    track.source.start(now, Math.min(this.place(), this.length));
    if (this.list[0] === track) { track.source.onended = old.source.onended; old.source.onended = null; }
    old.gain.gain.cancelScheduledValues(now);
    old.gain.gain.setValueAtTime(old.gain.gain.value, now);
    old.gain.gain.linearRampToValueAtTime(0, end);
    old.source.stop(end);
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

export async function play(tracks, loud) {
  if (playing && playing !== tracks) playing.stop();
  playing = tracks;
  await audio().resume();
  tracks.start(loud);
}

export function labelled(button, running) {
  button.textContent = running ? "Pause" : "Play";
  button.setAttribute("aria-pressed", String(running));
}

// A box with a button, sources, a place and options becomes a player of what `load` promises: [{ name, buffer }, ...].
// `gain` says how loud a name is played when it is the one that is heard.
export function player(box, { load, gain, seconds }) {
  const find = (name) => box.querySelector(name);
  const [button, seek, at, loop] = [find(".play"), find(".seek"), find(".at"), find(".loop")];
  const tracks = new Tracks(() => labelled(button, tracks.running));
  const chosen = () => box.querySelector(".sources input:checked").value;
  const loud = (name) => (name === chosen() ? gain(name) : 0);
  let loading = null;
  const toggle = async () => {
    if (tracks.running) { tracks.stop(); return; }
    loading ??= load().then((list) => {
      const place = tracks.at;
      tracks.load(list);
      tracks.at = place;
    }).catch((error) => { loading = null; throw error; });
    await loading;
    await play(tracks, loud);
  };
  const blend = () => tracks.blend(loud);
  button.addEventListener("click", toggle);
  box.addEventListener("change", (event) => { if (event.target.matches(".sources input, .options input")) blend(); });
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
    at.textContent = `${place.toFixed(1)} of ${seconds().toFixed(1)} s`;
  };
  const tick = () => { if (tracks.running) show(); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  box.addEventListener("keydown", (event) => {
    const typed = event.target.matches("input[type=checkbox], button");
    const sources = [...box.querySelectorAll(".sources label:not([hidden]) input")];
    const number = event.key.length === 1 ? "123456789".indexOf(event.key) : -1;
    if (event.key === " " && !typed) toggle();
    else if (number >= 0 && number < sources.length) {
      sources[number].checked = true;
      blend();
    } else if (event.key.toLowerCase() === "l" && !event.ctrlKey && !event.metaKey) {
      loop.checked = !loop.checked;
      tracks.loop(loop.checked);
    } else return;
    event.preventDefault();
  });
  box.hidden = false;
  return {
    // What is loaded is so no more; what plays goes on with what `load` promises next.
    async renew() {
      const was = tracks.running;
      if (was) tracks.stop();
      loading = null;
      if (was) await toggle();
    },
    swap(name, buffer) { if (tracks.list.length) tracks.swap(name, buffer, loud); },
    blend,
    stop() { if (tracks.running) tracks.stop(); },
  };
}
