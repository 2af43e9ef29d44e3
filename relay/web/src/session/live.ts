import type { Bytes } from '../protocol/bytes';
import { isObject, type JsonObject, parseForeignJson } from '../protocol/json';

// The WebSocket to the relay: what hubs and orders do, and a view's frames. Authenticates in its first message; comes back by
// itself.

export interface LiveListener {
  onMessage(message: JsonObject): void;
  onFrame(frame: Bytes): void;
  onState(isOnline: boolean): void;
}

const kMaxWaitMs = 15_000;

export class Live {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private isClosed = false;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly listener: LiveListener,
  ) {
    this.connect();
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: 'authenticate', token: this.token }));
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.receive(event.data);
    socket.onclose = () => this.lost(socket);
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') return this.listener.onFrame(new Uint8Array(data));
    let message;
    try {
      message = parseForeignJson(data, { maxBytes: 1024 * 1024, maxDepth: 24 });
    } catch {
      return;
    }
    if (!isObject(message)) return;
    if (message.type === 'ready') {
      this.failures = 0;
      this.listener.onState(true);
    }
    this.listener.onMessage(message);
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.listener.onState(false);
    if (this.isClosed) return;
    const wait = Math.min(kMaxWaitMs, 500 * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
  }

  // Whether it was handed to an open connection.
  send(message: JsonObject | Bytes): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    return true;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}
