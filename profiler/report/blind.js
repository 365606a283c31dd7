// A blind test of two sounds, and what its result says. Shared by the report and the library's page.

import { Tracks, labelled, play } from "./sound.js";

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

// A box becomes a test. `load` promises { A, B } as buffers, `gain` says how loud each is played, and where an element
// with the class `which` changes, a new test of other sounds begins.
export function blind(box, { load, gain }) {
  const find = (name) => box.querySelector(name);
  const [button, trials] = [find(".play"), find(".trials")];
  const [count, result, reveal] = [find(".count"), find(".result"), find(".reveal")];
  const answers = box.querySelectorAll(".answer");
  const tracks = new Tracks(() => labelled(button, tracks.running));
  let hidden, done, right, isLoaded = false;
  const drawn = () => crypto.getRandomValues(new Uint8Array(1))[0] & 1;
  const chosen = () => find(".sources input:checked").value;
  const heard = (name) => {
    const wanted = chosen() === "X" ? (hidden ? "B" : "A") : chosen();
    return name === wanted;
  };
  const loud = (name) => (heard(name) ? gain(name) : 0);
  const tell = () => {
    const most = Number(trials.value);
    count.textContent = done ? `${done} of ${most} trials answered.` : "Listen to A, B and X, then say which one X is.";
    answers.forEach((each) => { each.disabled = done >= most; });
    if (done >= most) result.textContent = verdict(right, done);
  };
  const begin = () => { hidden = drawn(); done = right = 0; result.textContent = ""; reveal.disabled = false; tell(); };
  const other = () => {
    if (tracks.running) tracks.stop();
    isLoaded = false;
    begin();
  };
  const toggle = async () => {
    if (tracks.running) { tracks.stop(); return; }
    if (!isLoaded) {
      const { A, B } = await load();
      tracks.load([{ name: "A", buffer: A }, { name: "B", buffer: B }]);
      isLoaded = true;
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
  box.querySelectorAll(".which").forEach((each) => each.addEventListener("change", other));
  begin();
  box.hidden = false;
  return { renew: other };
}
