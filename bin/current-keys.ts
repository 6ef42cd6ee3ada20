import type { Settings } from '../src/core/config/settings.ts';
import { type Installation, readInstallation } from './installation.ts';

/** The key of an installation, and earlier keys that may still encrypt files. Hex, secret. */
export type Keys = Pick<Settings, 'encryption_key' | 'previous_keys'>;

/** Reads the keys again at each use: another process may rotate them while a console runs for days. */
export class CurrentKeys {
  readonly #dir: string;
  #known: Keys;

  constructor({ dir, settings }: Installation) {
    this.#dir = dir;
    this.#known = settings;
  }

  /** Returns the last known keys if `.env` cannot be read. */
  async read(): Promise<Keys> {
    const now = await readInstallation(this.#dir, process.env).catch(() => undefined);
    this.#known = now?.settings ?? this.#known;
    return this.#known;
  }
}
