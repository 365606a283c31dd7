import { audio, player } from "./sound.js";
import { blind } from "./blind.js";

const sounds = JSON.parse(document.getElementById("sounds").textContent);
const decoded = new Map();

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

function takePlayer(box) {
  const index = Number(box.dataset.sound), sound = sounds[index];
  const [equal, amplify] = [box.querySelector(".equal"), box.querySelector(".amplify")];
  const gain = (name) => {
    const of = sound[name === "difference" ? "gear" : name];
    const level = equal.checked ? of.equal_gain : of.true_gain;
    return name === "difference" && amplify.checked ? level * 10 ** (sound.amplify_db / 20) : level;
  };
  const load = async () => Object.entries(await buffers(index)).map(([name, buffer]) => ({ name, buffer }));
  player(box, { load, gain, seconds: () => sound.seconds });
}

function takeTest(box) {
  const which = () => Number(box.querySelector(".which").value);
  const load = async () => {
    const { gear, learnt } = await buffers(which());
    return { A: gear, B: learnt };
  };
  blind(box, { load, gain: (name) => sounds[which()][name === "A" ? "gear" : "learnt"].equal_gain });
}

document.querySelectorAll(".player").forEach(takePlayer);
document.querySelectorAll(".abx").forEach(takeTest);
