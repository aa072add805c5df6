export { Doc } from "yjs";
export { WebsocketProvider } from "y-websocket";
