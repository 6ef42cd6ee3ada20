import type { Settings } from '../src/core/config/settings.ts';
import { type Installation, readInstallation } from './installation.ts';

/** The key of an installation, and those that files may still be sealed under; as text, secret. */
export type Keys = Pick<Settings, 'encryption_key' | 'previous_keys'>;

/** The keys as they are now: another process may rotate them while this one runs, as a console does for days. */
export class CurrentKeys {
  readonly #dir: string;
  #known: Keys;

  constructor({ dir, settings }: Installation) {
    this.#dir = dir;
    this.#known = settings;
  }

  /** Those of before where `.env` cannot be read just now. */
  async read(): Promise<Keys> {
    const now = await readInstallation(this.#dir, process.env).catch(() => undefined);
    this.#known = now?.settings ?? this.#known;
    return this.#known;
  }
}
