// What every page does: a one-time link signs in, and of the players of a page one plays at a time.

const secret = location.hash.slice(1);
if (secret.startsWith("tci_")) {
  history.replaceState(null, "", location.pathname);  // it is used up; nobody has to find it in the history
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/sign-in";
  for (const [name, value] of [["link", `#${secret}`], ["back", location.pathname]]) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);
