// A file sent to the server as it is, with how far that is; no fetch tells of what goes up.

export function send(path, content, onSent) {
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
