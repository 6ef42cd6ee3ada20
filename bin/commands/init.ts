import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnvFile, setVariables } from '../../src/core/config/env-file.ts';
import { readSettingsFile } from '../../src/core/config/read-file.ts';
import { asBifractError, generateKey, keyId, parseKey } from '../../src/core/index.ts';
import { defineCommand } from '../command.ts';
import {
  checkBackupsFolder,
  createEnv,
  forgetFolders,
  KEY_VARIABLE,
  makePrivateFolder,
  replaceEnv,
} from '../wiring.ts';

const HEAD = `# A Bifract installation. Without this key no backup or archive can be read: keep a copy in a safe place.
`;
const GROUP_AND_OTHERS = 0o077;

/** What `init` did. */
interface InitResult {
  dir: string;
  /** What was created; empty if nothing was missing. */
  made: string[];
  key_id: string;
  warnings: string[];
}

interface Input {
  newStorage: boolean;
}

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Create or complete an installation directory, without overwriting anything')
      .option(
        '--new-storage',
        'Start with empty folders: no longer expect the files that were in them',
        false,
      )
      .action((options: Input) => choose(options));
  },
  async run({ newStorage }, { flags, printer }) {
    const dir = resolve(flags.dir);
    if (newStorage) await forgetFolders(dir);
    const result = await initialize(dir);
    const created = result.made.length > 0 ? `Created ${result.made.join(', ')}` : 'Nothing was missing';
    const lines = [`${created} in ${result.dir}`, `Key fingerprint ${result.key_id}`];
    printer.result(result, [...lines, ...result.warnings.map((text) => `Warning: ${text}`)]);
    return 0;
  },
});

async function initialize(dir: string): Promise<InitResult> {
  const made: string[] = [];
  if (await makePrivateFolder(dir)) made.push(dir);
  const { key, state } = await completeEnv(join(dir, '.env'));
  if (state !== 'unchanged') made.push(state === 'created' ? '.env with a new key' : 'a new key in .env');
  const missing = await missingBackups(dir);
  if (!missing && (await makePrivateFolder(join(dir, 'backups')))) made.push('backups/');
  const warnings = [...(await warningsOf(join(dir, '.env'))), ...(missing ? [missing] : [])];
  return { dir, made, key_id: keyId(parseKey(key)), warnings };
}

/** Why the folder of backups must not be created: it held some, and is not mounted. */
async function missingBackups(dir: string): Promise<string | undefined> {
  try {
    await checkBackupsFolder(dir);
    return undefined;
  } catch (thrown) {
    const { message, hint = '' } = asBifractError(thrown);
    return `${message}. ${hint}`;
  }
}

async function completeEnv(
  path: string,
): Promise<{ key: string; state: 'created' | 'completed' | 'unchanged' }> {
  const content = readIfThere(path);
  const existing = content === undefined ? undefined : parseEnvFile(content, process.env)[KEY_VARIABLE];
  // A malformed key is kept too: a new key would hide the mistake.
  if (existing) return { key: existing, state: 'unchanged' };
  const key = generateKey();
  if (content === undefined) await createEnv(path, `${HEAD}${KEY_VARIABLE}=${key}\n`);
  else await replaceEnv(path, content, setVariables(content, { [KEY_VARIABLE]: key }));
  return { key, state: content === undefined ? 'created' : 'completed' };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readSettingsFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function warningsOf(path: string): Promise<string[]> {
  const { mode } = await stat(path);
  return (mode & GROUP_AND_OTHERS) === 0
    ? []
    : [`${path} is readable by other users. Run: chmod 600 ${path}`];
}
