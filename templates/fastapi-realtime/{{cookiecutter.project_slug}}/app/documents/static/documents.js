// The shared document of the room, in a plain text field: what is typed becomes insertions and deletions, what comes from
// others keeps the cursor where it was.

import { connection, current, element, me, page } from "/static/rooms.js";
import { Doc, WebsocketProvider } from "/static/documents/yjs.js";

const field = element("textarea", { id: "document", spellcheck: true, placeholder: "Write together …", ariaLabel: "Shared document" });
const others = element("p", { className: "others", role: "status" });
const panel = element("section", { className: "document", ariaLabel: "Document", hidden: true }, others, field);
const button = element("button", { type: "button", id: "open-document", textContent: "Document", hidden: true, ariaExpanded: "false" });
document.getElementById("people").before(button);
document.getElementById("log").after(panel);

let opened = null; // { provider, text }

function open() {
  close();
  const doc = new Doc();
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/documents`;
  // One page, one connection: other windows of the same browser have theirs.
  const provider = new WebsocketProvider(address, current.id, doc, { disableBc: true, maxBackoffTime: 15_000 });
  const text = doc.getText("content");
  opened = { room: current, provider, text };
  provider.awareness.setLocalStateField("user", { name: me.name });
  provider.awareness.on("change", showOthers);
  provider.on("status", showOthers);
  text.observe((event) => event.transaction.local || take(event.delta));
  field.value = "";
  showOthers();
}

function close() {
  opened?.provider.destroy();
  opened?.provider.doc.destroy();
  opened = null;
}

// What others did, with the cursor and the selection kept at the same words.
function take(delta) {
  let { selectionStart: start, selectionEnd: end, value } = field;
  let at = 0;
  const moved = (place, length) => (place > at ? Math.max(at, place + length) : place);
  for (const { retain, insert, delete: gone } of delta) {
    if (retain) at += retain;
    else if (insert !== undefined) {
      value = value.slice(0, at) + insert + value.slice(at);
      [start, end] = [moved(start, insert.length), moved(end, insert.length)];
      at += insert.length;
    } else {
      value = value.slice(0, at) + value.slice(at + gone);
      [start, end] = [moved(start, -gone), moved(end, -gone)];
    }
  }
  field.value = value;
  if (document.activeElement === field) field.setSelectionRange(start, end);
}

field.addEventListener("input", () => {
  const [before, after] = [opened.text.toString(), field.value];
  const most = Math.min(before.length, after.length);
  let front = 0;
  while (front < most && before[front] === after[front]) front += 1;
  let back = 0;
  while (back < most - front && before.at(-1 - back) === after.at(-1 - back)) back += 1;
  // Never between the halves of one character.
  if (front && /[\uD800-\uDBFF]/.test(before[front - 1])) front -= 1;
  if (back && /[\uDC00-\uDFFF]/.test(before.at(-back))) back -= 1;
  opened.provider.doc.transact(() => {
    opened.text.delete(front, before.length - front - back);
    opened.text.insert(front, after.slice(front, after.length - back));
  });
});

function showOthers() {
  if (!opened) return;
  const names = new Set([...opened.provider.awareness.getStates().values()].map(({ user }) => user?.name).filter((name) => name && name !== me.name));
  const state = opened.provider.wsconnected ? "" : "Offline: what you write is kept here and comes together later. ";
  others.textContent = state + (names.size ? `Also writing: ${[...names].join(", ")}` : "Only you are here.");
}

function show(visible) {
  panel.hidden = !visible;
  button.ariaExpanded = String(visible);
  if (visible) {
    open();
    field.focus();
  } else close();
}

button.addEventListener("click", () => show(panel.hidden));
page.addEventListener("open", () => {
  button.hidden = !current;
  // The same room is opened again when the line comes late: what was opened meanwhile stays.
  if (opened?.room !== current) show(false);
});
// Tried again at once when the page's own line is back, instead of after the provider's own pause.
connection.addEventListener("state", ({ detail }) => detail === "live" && opened && !opened.provider.wsconnected && opened.provider.connect());
