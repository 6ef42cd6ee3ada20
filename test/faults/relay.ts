import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** `up` is from the program to the server. */
export type Direction = 'up' | 'down';

const JUST_NOW_MS = 100;

/** Forwards TCP connections from a fixed port to a server that may move, and disturbs them on demand. */
export class Relay {
  readonly port: number;
  /** Port of the server. */
  target: number;
  /** Bytes forwarded since the last `reset`. */
  readonly bytes = { up: 0, down: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #triggers: { direction: Direction; after: number; run: () => void }[] = [];
  #stalled: Promise<unknown> | undefined;
  #pause_ms = 0;
  #sent_at = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.target = target;
  }

  static async open(target: number): Promise<Relay> {
    const server = createServer((client) => relay.#join(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(server, target);
    return relay;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Whether bytes have gone to the server just now. */
  get sends(): boolean {
    return performance.now() - this.#sent_at < JUST_NOW_MS;
  }

  /** Ends all connections and disturbances, and counts from zero. */
  reset(): void {
    this.cut();
    this.calm();
    this.bytes.up = 0;
    this.bytes.down = 0;
  }

  /** Ends all disturbances. */
  calm(): void {
    this.#triggers = [];
    this.#pause_ms = 0;
  }

  /** Calls `run` once, when that many bytes have passed. */
  after(direction: Direction, bytes: number, run: () => void): void {
    this.#triggers.push({ direction, after: bytes, run });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Holds everything back for a while. */
  stall(ms: number): void {
    const stalled = wait(ms).then(() => {
      if (this.#stalled === stalled) this.#stalled = undefined;
    });
    this.#stalled = stalled;
  }

  /** Waits after each piece. */
  slow(pause_ms: number): void {
    this.#pause_ms = pause_ms;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    this.#forward(client, upstream, 'up');
    this.#forward(upstream, client, 'down');
  }

  #forward(from: Socket, to: Socket, direction: Direction): void {
    this.#sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!from.readableEnded) to.destroy();
    });
    from.on('end', () => to.end());
    from.on('data', (piece: Buffer) => {
      this.#count(direction, piece.length);
      const held = this.#stalled ?? this.#pauseNow();
      if (!held) return void (to.write(piece) || this.#drain(from, to));
      from.pause();
      void held.then(() => {
        if (!to.destroyed && (to.write(piece) || to.destroyed)) from.resume();
        else this.#drain(from, to);
      });
    });
  }

  #drain(from: Socket, to: Socket): void {
    from.pause();
    to.once('drain', () => from.resume());
  }

  #pauseNow(): Promise<unknown> | undefined {
    return this.#pause_ms === 0 ? undefined : wait(this.#pause_ms);
  }

  #count(direction: Direction, bytes: number): void {
    this.bytes[direction] += bytes;
    if (direction === 'up') this.#sent_at = performance.now();
    const isDue = (one: { direction: Direction; after: number }) =>
      one.direction === direction && this.bytes[direction] >= one.after;
    const due = this.#triggers.filter(isDue);
    this.#triggers = this.#triggers.filter((one) => !due.includes(one));
    for (const { run } of due) run();
  }
}
