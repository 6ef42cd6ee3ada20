import { join } from 'node:path';
import { setVariables } from '../../src/core/config/env-file.ts';
import { readSettingsFile } from '../../src/core/config/read-file.ts';
import { BifractError, readOnly as readOnlyError } from '../../src/core/contract/errors.ts';
import { generateKey, keyId, parseKey, type RotatePlan } from '../../src/core/index.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { type Context, defineCommand } from '../command.ts';
import { readInstallation } from '../installation.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { table } from '../output/tables.ts';
import { withEngine } from '../session.ts';
import { KEY_VARIABLE, replaceEnv, withEnvLock } from '../wiring.ts';

type Input = { what: 'show' | 'generate' } | { what: 'rotate'; dryRun: boolean };

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Manage the encryption key')
      .helpCommand('help [command]', 'Print help for a command');
    command
      .command('show')
      .description('Show the fingerprint of the key, never the key itself')
      .action(() => choose({ what: 'show' }));
    command
      .command('generate')
      .description('Generate a key if there is none')
      .action(() => choose({ what: 'generate' }));
    declarePlan(command.command('rotate'))
      .description('Generate a new key and re-encrypt every file; if interrupted, run it again to resume')
      .action((options: { dryRun: boolean }) => choose({ what: 'rotate', ...options }));
  },
  run(input, context) {
    switch (input.what) {
      case 'show':
        return showKey(context);
      case 'generate':
        return writeNewKey(context);
      case 'rotate':
        return rotateKey(input.dryRun, context);
    }
  },
});

async function showKey({ flags: { dir }, printer }: Context): Promise<number> {
  const { settings } = await readInstallation(dir, process.env);
  if (settings.encryption_key === undefined) throw keyMissing(dir);
  const key_id = keyId(parseKey(settings.encryption_key));
  const previous = settings.previous_keys.map((hex) => keyId(parseKey(hex)));
  const previousLines = previous.length > 0 ? [`Previous keys: ${previous.join(', ')}`] : [];
  printer.result({ key_id, previous }, [`Key fingerprint ${key_id}`, ...previousLines]);
  return 0;
}

function keyMissing(dir: string): BifractError {
  return new BifractError('KEY_MISSING', `${KEY_VARIABLE} is not set in ${join(dir, '.env')}`, {
    hint: 'Generate one with `bifract key generate`.',
  });
}

async function writeNewKey({ flags, printer }: Context): Promise<number> {
  if (flags.readOnly) throw readOnlyError();
  const { dir } = await readInstallation(flags.dir, process.env);
  return withEnvLock(dir, () => generateIn(dir, printer));
}

/** Reads the settings under the lock: another process may have generated a key. */
async function generateIn(dir: string, printer: Context['printer']): Promise<number> {
  const { settings } = await readInstallation(dir, process.env);
  if (settings.encryption_key !== undefined) {
    throw new BifractError('EXISTS', 'A key exists and is never overwritten', {
      hint: 'To replace it and keep every file readable, run `bifract key rotate`.',
    });
  }
  const path = join(dir, '.env');
  const content = readSettingsFile(path);
  const key = generateKey();
  await replaceEnv(path, content, setVariables(content, { [KEY_VARIABLE]: key }));
  const key_id = keyId(parseKey(key));
  printer.result({ key_id }, [`Key fingerprint ${key_id}`, `Keep a copy of ${path} in a safe place.`]);
  return 0;
}

/** Rotates the key, or resumes an interrupted rotation. */
function rotateKey(dryRun: boolean, context: Context): Promise<number> {
  return withEngine(context, async (session) => {
    const plan = await session.engine.planRotate({ signal: session.signal });
    const files = plural(plan.items.filter(({ action }) => action === 'reencrypt').length, 'file');
    const question = plan.resumes
      ? `Resume the rotation and re-encrypt ${files}?`
      : `Generate a new key and re-encrypt ${files}?`;
    return runPlan(session, {
      dryRun,
      values: plan.items,
      lines: rotatePlanLines(plan),
      consent: () => confirm(session, question),
      run: () => runJob(session, { kind: 'rotate-key', plan }),
    });
  });
}

const ACTIONS = { reencrypt: 're-encrypt', keep: 'keep: done', skip: 'skip: no known key' };

function actionText({ action, error, note }: RotatePlan['items'][number]): string {
  const reason = error?.message ?? note;
  return reason ? `kept: ${reason}${error?.hint ? `. ${error.hint}` : ''}` : ACTIONS[action];
}

function rotatePlanLines({ items, current_key_id, resumes }: RotatePlan): string[] {
  const summary = resumes
    ? `An interrupted rotation will resume with key ${current_key_id}.`
    : `Key ${current_key_id} will be replaced by a new one.`;
  if (items.length === 0) return [summary, 'No files.'];
  return [
    summary,
    ...table(items, [
      { title: 'FILE', cell: ({ name }) => name },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'KEY', cell: ({ key_id }) => key_id ?? '?' },
      { title: 'ACTION', cell: (item) => actionText(item) },
    ]),
  ];
}
