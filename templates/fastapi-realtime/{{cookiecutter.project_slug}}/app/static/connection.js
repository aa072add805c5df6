// A socket that comes back. It tells `state` (live, resuming, offline) and hands every message of the server on; what has
// to be said again after a break (subscriptions, messages without an ack) is the business of whoever listens.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const PING_EVERY = 20_000;
const PONG_WITHIN = 10_000;
const HELLO_WITHIN = 10_000;
const SIGNED_OUT = 4401;

export class Connection extends EventTarget {
  // A class with the face of WebSocket, to be tried in turn with it where sockets do not get through.
  fallback = null;
  #socket = null;
  #failures = 0;
  #timers = { retry: 0, ping: 0, pong: 0 };

  start() {
    addEventListener("online", () => this.#retryNow());
    addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#retryNow());
    this.#open();
  }

  get live() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  // Sends when there is a connection; says whether there was.
  send(message) {
    if (this.live) this.#socket.send(JSON.stringify({ v: 1, ...message }));
    return this.live;
  }

  #open() {
    this.#tell(navigator.onLine ? "resuming" : "offline");
    const Transport = this.fallback && this.#failures > 2 && this.#failures % 2 ? this.fallback : WebSocket;
    const socket = new Transport(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.#socket = socket;
    this.#timers.pong = setTimeout(() => this.#lost(), HELLO_WITHIN);
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#timers.pong);
      const message = JSON.parse(data);
      if (message.type === "hello") {
        this.#failures = 0;
        this.#tell("live");
      }
      this.dispatchEvent(new CustomEvent("message", { detail: message }));
    };
    socket.onopen = () => {
      this.#timers.ping = setInterval(() => {
        this.send({ type: "ping" });
        this.#timers.pong = setTimeout(() => this.#lost(), PONG_WITHIN);
      }, PING_EVERY);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code);
    };
  }

  #lost(code) {
    const socket = this.#socket;
    this.#socket = null;
    clearInterval(this.#timers.ping);
    clearTimeout(this.#timers.pong);
    clearTimeout(this.#timers.retry);
    socket?.close();
    if (code === SIGNED_OUT) {
      this.dispatchEvent(new Event("signed-out"));
      return;
    }
    this.#tell(navigator.onLine && this.#failures < 2 ? "resuming" : "offline");
    // A refused handshake looks like a broken line, so ask over HTTP whether we are still signed in.
    if (this.#failures > 0) this.dispatchEvent(new Event("refused"));
    // Full jitter: thousands who lost the same server do not come back in the same moment.
    const delay = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures++);
    this.#timers.retry = setTimeout(() => this.#open(), delay);
  }

  #retryNow() {
    if (this.#socket) return;
    clearTimeout(this.#timers.retry);
    this.#open();
  }

  #tell(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
