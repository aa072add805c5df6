// Editing and deleting what was said; the server has the last word on who may.

import { current, element, me, page, write } from "/static/rooms.js";

const field = document.getElementById("body");
const cancel = element("button", { type: "button", textContent: "Cancel" });
const banner = element("p", { className: "editing", hidden: true }, "Editing a message ", cancel);
document.getElementById("composer").before(banner);

let editing = null; // { seq, draft }: the message whose words are in the field, and what was there before

function start({ seq, body }) {
  editing = { seq, draft: editing?.draft ?? field.value };
  banner.hidden = false;
  document.querySelector(`.message[data-seq="${seq}"]`)?.scrollIntoView({ block: "nearest" });
  write(body);
  field.focus();
}

function stop() {
  if (!editing) return;
  write(editing.draft);
  editing = null;
  banner.hidden = true;
}

page.addEventListener("draw", ({ detail: { event, item } }) => {
  if (!event.body) return;
  const buttons = element("div", { className: "actions" });
  const add = (text, work) => {
    const button = element("button", { type: "button", textContent: text, ariaLabel: `${text}: ${event.body.slice(0, 40)}` });
    button.addEventListener("click", work);
    buttons.append(button);
  };
  if (event.actor.id === me.id) add("Edit", () => start(event));
  if (event.actor.id === me.id || current.role === "owner") {
    add("Delete", () => {
      if (editing?.seq === event.seq) stop();
      current.put({ type: "delete", target: event.seq });
      field.focus();
    });
  }
  item.append(buttons);
});

page.addEventListener("say", (say) => {
  if (!editing) return;
  say.preventDefault();
  const { seq } = editing;
  stop();
  current.put({ type: "edit", target: seq, body: say.detail.body });
});
page.addEventListener("leave", stop);
cancel.addEventListener("click", () => {
  stop();
  field.focus();
});
field.addEventListener("keydown", (event) => event.key === "Escape" && stop());
