// The rooms. What the page knows of a room is its log up to `applied`; an event counts only when it is the next one, so
// whatever the line does, each is applied exactly once and in order.

import { all, api, Problem } from "./api.js";
import { Connection } from "./connection.js";

const $ = (id) => document.getElementById(id);
const me = { id: $("me").dataset.id, name: $("me").dataset.name };
const rooms = new Map(); // id → room
const connection = new Connection();
// Tells extras: "leave" and "open", before and after another room, or none, is in `current`; "draw" { event, item }, when a
// message is drawn; "say" { body }, when something is to be said, which whoever prevents it does differently.
const page = new EventTarget();
let current = null;

// For the modules of extras, which the page loads after this one.
export { all, api, connection, current, element, me, notice, page, rooms, write };

class Room {
  events = []; // what is loaded, oldest first
  waiting = new Map(); // client_id → { type, target, body, failed }: sent, not yet in the log
  unread = 0;
  older = undefined; // undefined: nothing loaded yet; null: there is nothing older

  draft = "";
  loading = null; // while a page of history is on its way

  constructor({ id, name, role, seq, epoch }) {
    Object.assign(this, { id, name, role, epoch, applied: seq });
  }

  follow() {
    connection.send({ type: "subscribe", room: this.id, after: this.applied, epoch: this.epoch });
  }

  apply(event) {
    if (event.seq <= this.applied) return; // seen before the line broke
    if (event.seq > this.applied + 1) return this.follow(); // cannot happen; ask again rather than skip
    this.applied = event.seq;
    this.waiting.delete(event.client_id);
    const target = this.events.find((each) => each.seq === event.target);
    if (target) Object.assign(target, { body: event.body ?? "", edited_at: event.at });
    if (this.older !== undefined) this.events.push(event);
    if (this === current) show(event);
    else if (event.kind === "message" && event.actor.id !== me.id) this.unread += 1;
    listRooms();
  }

  // Says something, or changes what was said: shown at once, sent until the log has it.
  put(what) {
    const client_id = crypto.randomUUID();
    this.waiting.set(client_id, { ...what, failed: null });
    this.send(client_id);
    if (this === current) showWaiting();
  }

  send(client_id) {
    const { failed, ...what } = this.waiting.get(client_id);
    connection.send({ ...what, room: this.id, client_id });
  }

  // The newest page, or the one before what is loaded; once, however often it is asked for meanwhile.
  load() {
    this.loading ??= this.#fetch().finally(() => (this.loading = null));
    return this.loading;
  }

  async #fetch() {
    const cursor = this.older ? `&cursor=${encodeURIComponent(this.older)}` : "";
    const page = await api("GET", `/rooms/${this.id}/messages?limit=50${cursor}`);
    const events = page.items.reverse();
    for (const { client_id } of events) this.waiting.delete(client_id);
    if (this.older === undefined) {
      this.events = events;
      const behind = this.applied > (events.at(-1)?.seq ?? 0);
      this.applied = events.at(-1)?.seq ?? 0;
      if (behind) this.follow(); // what came by while the page was fetched, once more
    } else {
      this.events.unshift(...events);
    }
    this.older = page.next;
  }

  // The log has lost its past (a backup was restored): begin afresh.
  reset({ epoch, seq }) {
    Object.assign(this, { epoch, applied: seq, events: [], older: undefined });
    this.follow();
    if (this === current) open(this);
  }
}

// ── What the server says ────────────────────────────────────────────────────────────────────────────────────────────

const handlers = {
  hello() {
    for (const room of rooms.values()) {
      room.follow();
      for (const [client_id, { failed }] of room.waiting) if (!failed) room.send(client_id);
    }
    if (current && current.older === undefined && !current.loading) open(current);
  },
  reset({ room, seq, epoch }) {
    rooms.get(room)?.reset({ epoch, seq });
  },
  event({ room, event }) {
    rooms.get(room)?.apply(event);
  },
  ack({ room: id, receipt }) {
    // Of something whose event was applied before, or came with a page of history.
    const room = rooms.get(id);
    if (room && receipt.seq <= room.applied && room.waiting.delete(receipt.client_id) && room === current) redraw();
  },
  ended({ room }) {
    const gone = rooms.get(room);
    rooms.delete(room);
    if (current === gone) location.hash = "";
    listRooms();
    if (gone) notice(`You are no longer in ${gone.name}.`);
  },
  error({ room, client_id, problem }) {
    const message = rooms.get(room)?.waiting.get(client_id);
    if (problem.status === 503 || problem.type === "/problems/too-fast") {
      // For a moment: what is waiting is said again, and what is not followed is followed again.
      const again = () => (message ? rooms.get(room)?.waiting.has(client_id) && rooms.get(room).send(client_id) : rooms.get(room)?.follow());
      setTimeout(again, 1000 + Math.random() * 3000);
    } else if (message && message.type !== "publish") {
      rooms.get(room).waiting.delete(client_id);
      if (current?.id === room) redraw();
      notice(problem.detail ?? problem.title);
    } else if (message) {
      message.failed = problem.detail ?? problem.errors?.[0]?.detail ?? problem.title;
      showWaiting();
    } else if (problem.status === 404) {
      handlers.ended({ room });
    } else {
      notice(problem.title);
    }
  },
};

connection.addEventListener("message", ({ detail }) => handlers[detail.type]?.(detail));
connection.addEventListener("state", ({ detail }) => {
  $("light").dataset.state = detail;
  $("light-text").textContent = { live: "Live", resuming: "Resuming …", offline: "Offline" }[detail];
});
connection.addEventListener("signed-out", () => location.assign("/"));
connection.addEventListener("refused", async () => {
  await api("GET", "/session").catch((problem) => problem.status === 401 && location.assign("/"));
  // Rooms that we were let into while we were away.
  await refresh().catch(() => {});
});

// ── The list of rooms ───────────────────────────────────────────────────────────────────────────────────────────────

async function refresh() {
  for (const found of await all("/rooms")) {
    const known = rooms.get(found.id);
    if (known) known.role = found.role;
    else {
      const room = new Room(found);
      rooms.set(room.id, room);
      room.follow();
    }
  }
  listRooms();
}

let listed = "";
function listRooms() {
  const sorted = [...rooms.values()].sort((a, b) => a.name.localeCompare(b.name));
  const now = JSON.stringify([current?.id, ...sorted.map(({ id, name, unread }) => [id, name, unread])]);
  if (now === listed) return;
  listed = now;
  const focused = document.activeElement?.closest("#rooms a")?.hash;
  $("rooms").replaceChildren(
    ...sorted.map((room) => {
      const link = element("a", { href: `#${room.id}` }, element("span", { className: "hash", textContent: "#", ariaHidden: "true" }), element("span", { className: "name", textContent: room.name }));
      if (room === current) link.ariaCurrent = "page";
      if (room.unread) link.append(element("span", { className: "badge", textContent: room.unread, ariaLabel: `${room.unread} unread`, role: "img" }));
      return element("li", {}, link);
    }),
  );
  if (focused) document.querySelector(`#rooms a[href="${focused}"]`)?.focus();
  const unread = sorted.reduce((sum, room) => sum + room.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ""}${current ? `${current.name} · ` : ""}Team rooms`;
}

$("new-room").addEventListener("submit", async (event) => {
  event.preventDefault();
  await attempt(async () => {
    const room = await api("POST", "/rooms", { name: $("room-name").value });
    $("room-name").value = "";
    await refresh();
    location.hash = room.id;
  });
});

// ── The open room ───────────────────────────────────────────────────────────────────────────────────────────────────

async function open(room) {
  const focused = document.activeElement;
  page.dispatchEvent(new Event("leave"));
  if (current) current.draft = $("body").value;
  current = room;
  page.dispatchEvent(new Event("open"));
  $("layout").dataset.view = room ? "room" : "list";
  $("title").textContent = room?.name ?? "Team rooms";
  $("composer").hidden = $("people").hidden = !room;
  write(room?.draft ?? ""); // only what is shown has a height
  $("messages").replaceChildren();
  $("latest").hidden = true;
  say_empty(room ? "Loading …" : rooms.size ? "Choose a room." : "Make your first room, or ask somebody to let you into theirs.");
  if (!room) return listRooms();
  room.unread = 0;
  listRooms();
  if (room.older === undefined) await attempt(() => room.load());
  if (room !== current) return;
  if (room.older === undefined) return say_empty("Not loaded yet.");
  redraw();
  toLatest();
  // Whoever has begun something else meanwhile is left to it.
  if (document.activeElement === focused && matchMedia("(hover: hover)").matches) $("body").focus();
}

function redraw() {
  $("log").ariaBusy = "true"; // what was said before is not news to be read out
  $("messages").replaceChildren();
  let previous = null;
  for (const event of current.events) {
    $("messages").append(...draw(event, previous));
    if (!event.target) previous = event;
  }
  showWaiting();
  $("log").ariaBusy = "false";
}

// Adds an event that has just come.
function show(event) {
  if (event.target) return redraw();
  const stay = atEnd() || event.actor.id === me.id;
  const previous = current.events.slice(0, -1).findLast((each) => !each.target);
  showWaiting([...draw(event, previous)]);
  if (stay) toLatest();
  else $("latest").hidden = false;
}

// Those of mine that the log does not have yet stand below it, always.
function showWaiting(before = []) {
  for (const old of document.querySelectorAll(".waiting")) old.remove();
  $("messages").append(...before);
  for (const [client_id, { type, target, body, failed }] of current?.waiting ?? []) {
    if (type !== "publish") {
      document.querySelector(`.message[data-seq="${target}"]`)?.classList.add("changing");
      if (type === "edit") document.querySelector(`.message[data-seq="${target}"] .body`)?.replaceChildren(body);
      continue;
    }
    const item = message({ name: me.name, id: me.id, body, note: failed ? `Not sent: ${failed}` : "Sending …" });
    item.classList.add("waiting");
    item.classList.toggle("failed", Boolean(failed));
    if (failed) {
      const drop = element("button", { type: "button", textContent: "Take back into the field" });
      drop.addEventListener("click", () => {
        current.waiting.delete(client_id);
        $("body").value = [$("body").value, body].filter(Boolean).join("\n");
        $("body").focus();
        showWaiting();
      });
      item.querySelector(".text").append(drop);
    }
    $("messages").append(item);
  }
  say_empty(current && !$("messages").childElementCount ? "Nothing was said here yet." : "");
}

function* draw(event, previous) {
  const at = new Date(event.at);
  if (!previous || new Date(previous.at).toDateString() !== at.toDateString()) {
    const day = at.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
    yield element("li", { className: "day" }, element("span", { textContent: day }));
  }
  if (event.kind === "message") {
    const { id, name } = event.actor;
    const follows = previous?.kind === "message" && previous.actor.id === id && at - new Date(previous.at) < 300_000;
    const item = message({ name, id, body: event.body || "This message was deleted.", at });
    item.classList.toggle("follows", follows);
    item.classList.toggle("deleted", !event.body);
    item.dataset.seq = event.seq;
    if (event.body && event.edited_at) item.querySelector(".body").append(element("span", { className: "edited", textContent: " (edited)" }));
    page.dispatchEvent(new CustomEvent("draw", { detail: { event, item } }));
    yield item;
  } else if (event.subject) {
    const self = event.actor.id === event.subject.id;
    const said = { joined: self ? "joined" : `was let in by ${event.actor.name}`, left: self ? "left" : `was shown out by ${event.actor.name}` };
    yield element("li", { className: "notice-line", textContent: `${event.subject.name} ${said[event.kind]}` });
  }
}

function message({ name, id, body, at, note }) {
  const avatar = element("span", { className: "avatar", textContent: name[0], ariaHidden: "true" });
  avatar.style.setProperty("--hue", [...id].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7));
  const time = at ? element("time", { dateTime: at.toISOString(), textContent: at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }), title: at.toLocaleString() }) : element("span", { className: "note", textContent: note });
  const head = element("p", { className: "head" }, element("strong", { textContent: name }), " ", time);
  return element("li", { className: "message" }, avatar, element("div", { className: "text" }, head, element("p", { className: "body", textContent: body })));
}

const log = $("log");
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

function toLatest() {
  log.scrollTop = log.scrollHeight;
  $("latest").hidden = true;
}

$("latest").addEventListener("click", toLatest);

let loading = false;
log.addEventListener("scroll", async () => {
  if (atEnd()) $("latest").hidden = true;
  if (log.scrollTop > 200 || loading || !current?.older) return;
  loading = true;
  const room = current;
  await attempt(() => room.load());
  loading = false;
  if (room !== current) return;
  const fromBottom = log.scrollHeight - log.scrollTop;
  redraw();
  log.scrollTop = log.scrollHeight - fromBottom;
});

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = $("body").value.trim();
  if (!body) return;
  if (!page.dispatchEvent(new CustomEvent("say", { detail: { body }, cancelable: true }))) return;
  current.put({ type: "publish", body });
  write("");
  toLatest();
});

$("body").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

// Puts something into the field.
function write(text) {
  $("body").value = text;
  fit();
}

function fit() {
  $("body").style.height = "auto";
  $("body").style.height = `${$("body").scrollHeight + 2}px`;
}
$("body").addEventListener("input", fit);

// ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let lists = 0;
async function listMembers() {
  const room = current;
  const list = ++lists;
  const members = await all(`/rooms/${room.id}/members`);
  if (list !== lists) return; // a newer one is on its way, or has come already
  const owner = room.role === "owner";
  $("add-member").hidden = !owner;
  $("member-list").replaceChildren(
    ...members.map((member) => {
      const item = element("li", {}, element("span", { textContent: member.name }), element("span", { className: "small", textContent: member.role }));
      const mine = member.id === me.id;
      if (owner || mine) {
        const out = element("button", { type: "button", textContent: mine ? "Leave" : "Show out", ariaLabel: mine ? "Leave the room" : `Show ${member.name} out` });
        out.addEventListener("click", () => inDialog(async () => {
          await api("DELETE", `/rooms/${room.id}/members/${member.id}`);
          if (mine) $("members").close();
          else await listMembers();
        }));
        if (owner && !mine && member.role === "member") {
          const raise = element("button", { type: "button", textContent: "Make owner", ariaLabel: `Make ${member.name} an owner` });
          raise.addEventListener("click", () => inDialog(async () => {
            await api("PATCH", `/rooms/${room.id}/members/${member.id}`, { role: "owner" });
            await listMembers();
          }));
          item.append(raise);
        }
        item.append(out);
      }
      return item;
    }),
  );
}

async function inDialog(work) {
  $("members-error").textContent = "";
  try {
    await work();
  } catch (error) {
    $("members-error").textContent = words(error);
  }
}

$("people").addEventListener("click", () => {
  $("members").showModal();
  inDialog(listMembers);
});
$("members-close").addEventListener("click", () => $("members").close());
$("add-member").addEventListener("submit", (event) => {
  event.preventDefault();
  inDialog(async () => {
    await api("POST", `/rooms/${current.id}/members`, { name: $("member-name").value });
    $("member-name").value = "";
    await listMembers();
  });
});

// ── Odds and ends ───────────────────────────────────────────────────────────────────────────────────────────────────

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function say_empty(text) {
  $("empty").textContent = text;
  $("empty").hidden = !text;
}

function words(error) {
  if (!(error instanceof Problem)) return "The server does not answer. Try again.";
  return error.errors[0]?.detail ?? error.message;
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    notice(words(error));
  }
}

let noticeTimer = 0;
function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").hidden = true), 6000);
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address after # is the room
  $("body").focus();
});
$("back").addEventListener("click", () => (location.hash = ""));
$("sign-out").addEventListener("click", () => attempt(async () => {
  await api("DELETE", "/session");
  location.assign("/");
}));
addEventListener("hashchange", () => open(rooms.get(location.hash.slice(1)) ?? null));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh().catch(() => {}));

// Being let into a room is an event of a room that one does not follow yet, so look now and then.
setInterval(() => document.visibilityState === "visible" && refresh().catch(() => {}), 30_000);

// Once the modules of all extras are there to listen.
addEventListener("DOMContentLoaded", async () => {
  await attempt(refresh);
  connection.start();
  const wide = matchMedia("(min-width: 48rem)").matches;
  const first = [...rooms.values()].sort((a, b) => a.name.localeCompare(b.name))[0];
  await open(rooms.get(location.hash.slice(1)) ?? (wide ? first : null) ?? null);
});
