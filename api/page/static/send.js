// A file sent to the server as it is, and what a form shows of that.

// What a form says: how it goes, or what is wrong.
export function teller(form) {
  const [status, problem] = [".status", ".problem"].map((name) => form.querySelector(name));
  return (words, trouble = "") => {
    status.textContent = words;
    problem.textContent = trouble;
    problem.hidden = !trouble;
  };
}

// Sends what a form has, whose button rests and whose bar moves meanwhile, and hands on what the server answers.
export async function sent(form, path, content, tell, take) {
  const [button, progress] = ["button", "progress"].map((name) => form.querySelector(name));
  button.disabled = true;
  progress.hidden = false;
  try {
    const { status, response } = await send(path, content, (done) => { progress.value = done; });
    if (status >= 400 || !response) tell("", response?.detail ?? `The server answered ${status}.`);
    else take(response, status);
  } catch (error) {
    tell("", error.message);
  } finally {
    button.disabled = false;
    progress.hidden = true;
    progress.value = 0;
  }
}

// No fetch tells of what goes up.
function send(path, content, onSent) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => { if (event.total) onSent(event.loaded / event.total); });
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", () => failed(new Error("The server cannot be reached, or closed the connection. Try again.")));
    request.send(content);
  });
}
