import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setVariables } from '../../src/core/config/edit-env.ts';
import { parseEnvFile } from '../../src/core/config/env-file.ts';
import { generateKey, keyId, parseKey } from '../../src/core/format/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import type { Printer } from '../printer.ts';
import { createEnv, KEY_VARIABLE, makePrivateFolder, replaceEnv } from '../wiring.ts';

const HEAD = `# A Bifract installation. Without this key no backup and no archive can be read: keep a copy of it elsewhere.
`;
const OTHERS = 0o077;

/** What `init` did. */
export interface InitResult {
  dir: string;
  /** What was made; empty where everything was there. */
  made: string[];
  key_id: string;
  warnings: string[];
}

/** Makes or completes an installation directory. Nothing that is there is changed. */
export async function initCommand({ flags }: { flags: GlobalFlags }, printer: Printer): Promise<number> {
  const result = await initialize(resolve(flags.dir));
  const made = result.made.length > 0 ? `Made ${result.made.join(', ')}` : 'Everything was there already';
  const lines = [`${made} in ${result.dir}`, `Key fingerprint ${result.key_id}`];
  printer.result(result, [...lines, ...result.warnings.map((text) => `Warning: ${text}`)]);
  return 0;
}

async function initialize(dir: string): Promise<InitResult> {
  const made: string[] = [];
  if (await makePrivateFolder(dir)) made.push(dir);
  const { key, state } = await completeEnv(join(dir, '.env'));
  if (state !== 'there') made.push(state === 'made' ? '.env with a new key' : 'a new key in .env');
  if (await makePrivateFolder(join(dir, 'backups'))) made.push('backups/');
  return { dir, made, key_id: keyId(parseKey(key)), warnings: await warningsOf(join(dir, '.env')) };
}

async function completeEnv(path: string): Promise<{ key: string; state: 'made' | 'completed' | 'there' }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const there = text === undefined ? undefined : parseEnvFile(text)[KEY_VARIABLE];
  // A key that is malformed is somebody's mistake to correct: a new one would hide it.
  if (there) return { key: there, state: 'there' };
  const key = generateKey();
  if (text === undefined) await createEnv(path, `${HEAD}${KEY_VARIABLE}=${key}\n`);
  else await replaceEnv(path, text, setVariables(text, { [KEY_VARIABLE]: key }));
  return { key, state: text === undefined ? 'made' : 'completed' };
}

async function warningsOf(path: string): Promise<string[]> {
  const { mode } = await stat(path);
  return (mode & OTHERS) === 0 ? [] : [`${path} can be read by others: chmod 600 ${path}`];
}
