import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setVariables } from '../../src/core/config/env-file.ts';
import { BifractError, readOnly as readOnlyError } from '../../src/core/contract/errors.ts';
import { generateKey, keyId, parseKey } from '../../src/core/format/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { readInstallation } from '../installation.ts';
import type { Printer } from '../printer.ts';
import { KEY_VARIABLE, replaceEnv } from '../wiring.ts';
import { rotateKey } from './rotate-key.ts';

export interface KeyInvocation {
  command: 'key';
  what: 'show' | 'generate' | 'rotate';
  dry_run: boolean;
}

/** Shows the fingerprint of the key, generates a key, or rotates it. */
export async function keyCommand(
  invocation: KeyInvocation & { flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  switch (invocation.what) {
    case 'show':
      return showKey(invocation.flags, printer);
    case 'generate':
      return generate(invocation.flags, printer);
    case 'rotate':
      return rotateKey(invocation, printer);
  }
}

async function showKey({ dir }: GlobalFlags, printer: Printer): Promise<number> {
  const { settings } = await readInstallation(dir, process.env);
  if (settings.encryption_key === undefined) throw keyMissing(dir);
  const key_id = keyId(parseKey(settings.encryption_key));
  const previous = settings.previous_keys.map((hex) => keyId(parseKey(hex)));
  const previousLines = previous.length > 0 ? [`Previous keys: ${previous.join(', ')}`] : [];
  printer.result({ key_id, previous }, [`Key fingerprint ${key_id}`, ...previousLines]);
  return 0;
}

async function generate({ dir, readOnly }: GlobalFlags, printer: Printer): Promise<number> {
  if (readOnly) throw readOnlyError();
  const { settings, dir: home } = await readInstallation(dir, process.env);
  if (settings.encryption_key !== undefined) {
    throw new BifractError('EXISTS', 'A key exists and is never overwritten', {
      hint: 'To replace it and keep every file readable, run `bifract key rotate`.',
    });
  }
  const path = join(home, '.env');
  const text = await readFile(path, 'utf8');
  const key = generateKey();
  await replaceEnv(path, text, setVariables(text, { [KEY_VARIABLE]: key }));
  const key_id = keyId(parseKey(key));
  printer.result({ key_id }, [`Key fingerprint ${key_id}`, `Keep a copy of ${path} in a safe place.`]);
  return 0;
}

function keyMissing(dir: string): BifractError {
  return new BifractError('KEY_MISSING', `${KEY_VARIABLE} is not set in ${join(dir, '.env')}`, {
    hint: 'Generate one with `bifract key generate`.',
  });
}
