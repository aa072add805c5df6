// Who is here, and who is typing.

import { connection, current, element, me, page } from "/static/rooms.js";

const AGAIN = 3000; // how often one says that one is typing
const SEEN = 5000; // how long it is believed

const here = new Map(); // room → { people, number }
const typing = new Map(); // who → when it ends
const faces = element("div", { className: "faces", role: "img" });
const line = element("p", { className: "typing", role: "status" });
document.querySelector(".room-head h2").after(faces);
document.getElementById("beside-composer").append(line);

connection.addEventListener("message", ({ detail }) => {
  if (detail.type === "present") {
    here.set(detail.room, detail);
    showFaces();
  } else if (detail.type === "typing" && detail.room === current?.id && detail.who.id !== me.id) {
    typing.set(detail.who.name, Date.now() + SEEN);
    showTyping();
  } else if (detail.type === "event" && detail.room === current?.id && typing.delete(detail.event.actor.name)) {
    showTyping();
  }
});
connection.addEventListener("state", ({ detail }) => {
  if (detail === "live") return;
  here.clear();
  typing.clear();
  showFaces();
  showTyping();
});
page.addEventListener("open", () => {
  typing.clear();
  showFaces();
  showTyping();
});

let said = 0;
document.getElementById("body").addEventListener("input", () => {
  if (Date.now() - said < AGAIN || !current) return;
  said = Date.now();
  connection.send({ type: "typing", room: current.id });
});

function showFaces() {
  const { people = [], number = 0 } = here.get(current?.id) ?? {};
  faces.hidden = !number;
  faces.ariaLabel = `Here now: ${people.map(({ name }) => name).join(", ")}`;
  faces.title = faces.ariaLabel;
  const shown = people.slice(0, 5).map(({ id, name }) => {
    const face = element("span", { className: "avatar", textContent: name[0] });
    face.style.setProperty("--hue", [...id].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7));
    return face;
  });
  const more = number - shown.length;
  faces.replaceChildren(...shown, ...(more > 0 ? [element("span", { className: "more", textContent: `+${more}` })] : []));
}

function showTyping() {
  const now = Date.now();
  for (const [name, ends] of typing) if (ends <= now) typing.delete(name);
  const names = [...typing.keys()];
  line.textContent = names.length ? `${names.length > 3 ? "Several people are" : names.join(" and ") + (names.length > 1 ? " are" : " is")} typing …` : "";
}
setInterval(() => typing.size && showTyping(), 1000);
