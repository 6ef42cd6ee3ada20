import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type EnvVars, parseEnvFile } from '../src/core/config/env-file.ts';
import { readSettingsFile } from '../src/core/config/read-file.ts';
import { secretsOf } from '../src/core/config/secrets.ts';
import { readSettings, type Settings } from '../src/core/config/settings.ts';
import { BifractError } from '../src/core/contract/errors.ts';
import { addSecrets } from '../src/core/text/mask.ts';

/** An installation directory, read once. Holds secrets. */
export interface Installation {
  dir: string;
  variables: EnvVars;
  settings: Settings;
}

/** Reads the installation in `dir`. Throws `ENV_MISSING` if there is none, `ENV_INVALID` for a bad value. */
export async function readInstallation(dir: string, env: NodeJS.ProcessEnv): Promise<Installation> {
  const home = resolve(dir);
  const variables = parseEnvFile(await readEnvFile(home), env);
  addSecrets(secretsOf(variables));
  addSecrets(secretsOf(env));
  return { dir: home, variables, settings: readSettings(variables, env, home) };
}

async function readEnvFile(dir: string): Promise<Buffer> {
  const path = join(dir, '.env');
  try {
    return readSettingsFile(path);
  } catch (cause) {
    if (cause instanceof BifractError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw new BifractError('ENV_MISSING', `Cannot read ${path} (${code})`, {
        hint: 'Run bifract as the owner of the installation.',
        cause,
      });
    }
    const exists = await stat(dir).then(
      (found) => found.isDirectory(),
      () => false,
    );
    throw new BifractError('ENV_MISSING', `${exists ? path : dir} does not exist`, {
      hint: 'Pass the installation directory with --dir, or set BIFRACT_DIR.',
      cause,
    });
  }
}

/** The key of an installation, and earlier keys that may still encrypt files. Hex, secret. */
type Keys = Pick<Settings, 'encryption_key' | 'previous_keys'>;

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
