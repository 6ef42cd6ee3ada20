import type { Command } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import { type KeepRule, keepsSomething } from '../../src/core/policy/retention.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import {
  declareNotifications,
  hookHelp,
  type NotificationContent,
  type NotifyOptions,
  runAndNotify,
} from '../jobs/notify.ts';
import { runJob } from '../jobs/run.ts';
import { withEngine } from '../session.ts';
import { declareKeepRule, type KeepOptions, ruleOf } from './prune.ts';

interface Input extends NotifyOptions {
  /** Retention after the backup, if requested. */
  prune?: KeepRule;
}

interface Options extends KeepOptions, NotifyOptions {
  prune: boolean;
}

const HELP = `--prune does not ask for confirmation.

${hookHelp('BIFRACT_FILE, BIFRACT_SIZE_BYTES, BIFRACT_ROWS, BIFRACT_DURATION_MS and BIFRACT_CHECKSUM')}`;

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Back up the whole PostgreSQL database, encrypted')
      .option('--prune', 'After the backup, delete backups that no --keep-* option keeps', false);
    declareNotifications(declareKeepRule(command), 'backup').action((options: Options) =>
      choose(inputOf(options, command)),
    );
    addFooter(command, HELP);
  },
  run(input, context) {
    const request = { kind: 'backup' } as const;
    if (context.flags.detach) return withEngine(context, (session) => runJob(session, request));
    return runAndNotify(context, request, input, BACKUP_NOTIFICATIONS, async (session) => {
      if (!input.prune) return 0;
      const plan = await session.engine.planPrune(input.prune, { signal: session.signal });
      return runJob(session, { kind: 'prune', plan });
    });
  },
  detachable: true,
});

/** Checked before the backup, not after it. */
function inputOf({ prune, metrics, onSuccess, onFailure, ...keep }: Options, command: Command): Input {
  const rule = ruleOf(keep);
  if (prune && !keepsSomething(rule)) {
    throw new BifractError('USAGE', '--prune requires at least one --keep-* option', {
      hint: 'For example: --prune --keep-daily 7 --keep-weekly 4.',
    });
  }
  if (!prune && Object.values(rule).some((count) => count !== undefined)) {
    throw new BifractError('USAGE', '--keep-* options require --prune', {
      hint: 'Add --prune to delete the backups that they do not keep.',
    });
  }
  const input = { ...(prune && { prune: rule }), metrics, onSuccess, onFailure };
  if (command.optsWithGlobals().detach && Object.values(input).some((extra) => extra !== undefined)) {
    throw new BifractError(
      'USAGE',
      '--detach cannot be combined with --prune, --metrics, --on-success or --on-failure',
      { hint: 'Omit --detach, or the other options.' },
    );
  }
  return input;
}

export const BACKUP_NOTIFICATIONS: NotificationContent<'backup'> = {
  prefix: 'bifract_backup',
  noun: 'backup',
  help: {
    duration_seconds: 'Duration of the last successful backup.',
    size_bytes: 'Stored size of the last successful backup.',
    content_bytes: 'Size of the last successful backup before compression.',
    rows: 'Rows of all tables in the last successful backup.',
  },
  metrics: ({ duration_ms, size_bytes, content_bytes, rows }) => ({
    duration_seconds: duration_ms / 1000,
    size_bytes,
    content_bytes,
    rows,
  }),
  variables: ({ name, size_bytes, rows, duration_ms, checksum }) => ({
    BIFRACT_FILE: name,
    BIFRACT_SIZE_BYTES: String(size_bytes),
    BIFRACT_ROWS: String(rows),
    BIFRACT_DURATION_MS: String(duration_ms),
    BIFRACT_CHECKSUM: checksum,
  }),
};
