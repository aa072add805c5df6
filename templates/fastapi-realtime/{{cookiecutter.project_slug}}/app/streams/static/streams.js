// Server-sent events with the face of a WebSocket: the same messages come in by the stream, what is said goes out by HTTP.

import { connection } from "/static/rooms.js";
import { api, Problem } from "/static/api.js";

const TOGETHER = 50; // milliseconds; the rooms of a page are subscribed to one by one, and the stream has them all

class Stream {
  readyState = WebSocket.CONNECTING;
  #source = null;
  #rooms = new Map(); // id → { after, epoch }
  #timer = 0;
  #greeted = false;

  constructor() {
    this.#open();
  }

  send(text) {
    const { type, room, ...rest } = JSON.parse(text);
    if (type === "subscribe") {
      this.#rooms.set(room, rest);
      this.#later();
    } else if (type === "unsubscribe") {
      this.#rooms.delete(room);
      this.#later();
    } else if (type === "ping") {
      if (this.#source?.readyState === EventSource.OPEN) this.#tell({ type: "pong" });
    } else if (["publish", "edit", "delete"].includes(type)) {
      this.#put(type, room, rest);
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.readyState = WebSocket.CLOSED;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), TOGETHER);
  }

  #open() {
    this.#source?.close();
    const query = [...this.#rooms].map(([id, { after, epoch }]) => `room=${[id, after, epoch].filter((part) => part !== undefined).join(".")}`);
    this.#source = new EventSource(`/events?${query.join("&")}`);
    this.#source.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "hello") {
        if (this.#greeted) return;
        this.#greeted = true;
        this.readyState = WebSocket.OPEN;
        this.onopen?.();
      }
      if (message.type === "event" && this.#rooms.has(message.room)) this.#rooms.get(message.room).after = message.event.seq;
      this.onmessage?.({ data });
    };
    this.#source.onerror = () => {
      // A refusal, or nobody there. What only broke comes back by itself, and says which event it had last.
      if (this.#greeted && this.#source.readyState === EventSource.CONNECTING) return;
      this.close();
      this.onclose?.({ code: 1006 });
    };
  }

  async #put(type, room, { client_id, target, body }) {
    const place = `/rooms/${room}/messages`;
    try {
      if (type === "publish") await api("POST", place, { client_id, body });
      else if (type === "edit") await api("PATCH", `${place}/${target}`, { client_id, body });
      else await api("DELETE", `${place}/${target}?client_id=${client_id}`);
    } catch (error) {
      const problem = error instanceof Problem ? { status: error.status, title: error.message } : { status: 503, title: "The server does not answer." };
      this.#tell({ type: "error", room, client_id, problem });
    }
  }

  #tell(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

connection.fallback = Stream;
