import { join } from 'node:path';
import type { OpenFolder } from '../files/open-folder.ts';
import { withFileLock } from './file-lock.ts';
import { makeState, onState, openState } from './open-state.ts';
import { replaceState } from './replace-state.ts';

/** Far above the size of any list. */
const MAX_BYTES = 64 << 20;
/** Milliseconds to wait for another process that changes the list. */
const LOCK_MS = 10_000;

/**
 * A JSON file in `.bifract` that holds a list. Anyone who may write to the installation can put anything there: what has
 * not the shape of an entry is left out.
 */
export class ListFile<Entry> {
  readonly #install: string;
  readonly #name: string;
  readonly #isEntry: (value: unknown) => value is Entry;

  constructor(install: string, name: string, isEntry: (value: unknown) => value is Entry) {
    this.#install = install;
    this.#name = name;
    this.#isEntry = isEntry;
  }

  /** For messages. */
  get path(): string {
    return join(this.#install, '.bifract', this.#name);
  }

  async read(): Promise<Entry[]> {
    return onState(`Cannot read ${this.path}`, async () => {
      await using home = await openState(this.#install);
      return home ? await this.#readFrom(home) : [];
    });
  }

  async write(entries: readonly Entry[]): Promise<void> {
    await this.#withHome((home) => this.#writeTo(home, entries));
  }

  /** Replaces the list by what `change` makes of it; other processes wait. */
  async update(change: (entries: Entry[]) => Entry[]): Promise<void> {
    await this.#withHome((home) =>
      withFileLock(
        home,
        `${this.#name}.lock`,
        async () => this.#writeTo(home, change(await this.#readFrom(home))),
        { limit_ms: LOCK_MS },
      ),
    );
  }

  async #withHome(work: (home: OpenFolder) => Promise<void>): Promise<void> {
    await onState(`Cannot save ${this.path}`, async () => {
      await using home = await makeState(this.#install);
      await work(home);
    });
  }

  async #readFrom(home: OpenFolder): Promise<Entry[]> {
    const text = await home.read(this.#name, MAX_BYTES, { sole: true });
    try {
      const stored: unknown = JSON.parse(String(text ?? '[]'));
      return Array.isArray(stored) ? stored.filter(this.#isEntry) : [];
    } catch {
      return [];
    }
  }

  async #writeTo(home: OpenFolder, entries: readonly Entry[]): Promise<void> {
    await replaceState(home, this.#name, entries);
  }
}
