import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Bucket, readSegments, type StoredEntry } from '../helpers/s3/bucket.ts';
import { BUCKET } from '../helpers/s3/test-server.ts';
import { Relay } from './relay.ts';
import type { Answer, Order, RequestFaults } from './s3-process.ts';

const PROCESS = join(import.meta.dirname, 's3-process.ts');

/** An S3 server on a folder, behind a relay; it can be killed and started again. */
export class FaultyS3 {
  readonly relay: Relay;
  #dir: string;
  #child: ChildProcess;

  private constructor(relay: Relay, child: ChildProcess, dir: string) {
    this.relay = relay;
    this.#child = child;
    this.#dir = dir;
  }

  static async start(dir: string): Promise<FaultyS3> {
    const s3 = new FaultyS3(await Relay.open(0), fork(PROCESS), dir);
    await s3.open(dir);
    return s3;
  }

  get url(): string {
    return `http://127.0.0.1:${this.relay.port}`;
  }

  /** Serves this folder from now on, without faults. */
  async open(dir: string): Promise<void> {
    this.#dir = dir;
    await this.inject(undefined);
    const answer = await this.#ask({ open: dir });
    if ('port' in answer) this.relay.target = answer.port;
  }

  async inject(faults: RequestFaults | undefined): Promise<void> {
    await this.#ask({ faults });
  }

  /** Number of requests with a fault. */
  async hits(): Promise<number> {
    const answer = await this.#ask({ ask: 'hits' });
    return 'hits' in answer ? answer.hits : 0;
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
    this.relay.cut();
  }

  async restart(): Promise<void> {
    this.#child = fork(PROCESS);
    await this.open(this.#dir);
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await this.relay.close();
  }

  /** What the bucket holds, read from disk. */
  objects(): StoredEntry[] {
    return [...new Bucket(this.#dir, BUCKET).objects.values()];
  }

  /** Keys of the unfinished uploads, without their markers, which are empty and may remain for a day. */
  openUploads(): string[] {
    const keys = [...new Bucket(this.#dir, BUCKET).uploads.values()].map(({ key }) => key);
    return keys.filter((key) => !key.startsWith('.bifract-uploads/'));
  }

  static async read({ segments, size }: StoredEntry): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(readSegments(segments, 0, size)));
  }

  async #ask(order: Order): Promise<Answer> {
    const answer = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(order);
    return (await answer)[0];
  }
}
