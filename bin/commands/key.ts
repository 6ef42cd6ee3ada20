import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setVariables } from '../../src/core/config/edit-env.ts';
import { BifractError, readOnly as readOnlyError } from '../../src/core/errors.ts';
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

/** Shows the key's fingerprint, makes a key where there is none, or puts another one in its place. */
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
  if (settings.encryption_key === undefined) throw missing(dir);
  const key_id = keyId(parseKey(settings.encryption_key));
  const previous = settings.previous_keys.map((hex) => keyId(parseKey(hex)));
  const before = previous.length > 0 ? [`Before it: ${previous.join(', ')}`] : [];
  printer.result({ key_id, previous }, [`Key fingerprint ${key_id}`, ...before]);
  return 0;
}

async function generate({ dir, readOnly }: GlobalFlags, printer: Printer): Promise<number> {
  if (readOnly) throw readOnlyError();
  const { settings, dir: home } = await readInstallation(dir, process.env);
  if (settings.encryption_key !== undefined) {
    throw new BifractError('EXISTS', 'There is a key already, and it is never overwritten', {
      hint: '`bifract key rotate` puts another one in its place and keeps every file readable.',
    });
  }
  const path = join(home, '.env');
  const text = await readFile(path, 'utf8');
  const key = generateKey();
  await replaceEnv(path, text, setVariables(text, { [KEY_VARIABLE]: key }));
  const key_id = keyId(parseKey(key));
  printer.result({ key_id }, [`Key fingerprint ${key_id}`, `Keep a copy of ${path} elsewhere.`]);
  return 0;
}

function missing(dir: string): BifractError {
  return new BifractError('KEY_MISSING', `${KEY_VARIABLE} is not set in ${join(dir, '.env')}`, {
    hint: '`bifract key generate` makes one.',
  });
}
