import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import type {
  DatabaseSession,
  JobEvent,
  RestoreConsent,
  RestorePlan,
  RestoreTable,
  RestoreTarget,
} from '../../src/core/index.ts';
import type { Row } from '../../src/core/text/rows.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { completeName } from '../complete-name.ts';
import { addFooter } from '../help.ts';
import { ask, confirmByTyping, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { row, rowLines } from '../output/rows.ts';
import { stampCell, table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';

interface Input {
  file: string;
  target: RestoreTarget;
  owner: boolean;
  privileges: boolean;
  tablespaces: boolean;
  safetyBackup: boolean;
  /** Undefined: ask. */
  endSessions?: boolean;
  stopApp?: boolean;
  dryRun: boolean;
}

interface Options extends Omit<Input, 'file' | 'target'> {
  database?: string;
  drill?: boolean;
}

const HELP = `<file> is a path, a file name in backups/, or an S3 key; \`latest\` is the newest backup. It is verified in full before anything changes. The backup is restored into a new database, compared with its manifest, and swapped with the live database in one transaction, so it is all or nothing.

Asks before it replaces the live database. Without a terminal, it does nothing and exits with 2; pass --yes or --non-interactive to skip the question.`;

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Restore a backup of the PostgreSQL database')
      .argument('<file>')
      .addOption(
        new Option('--database <name>', 'Restore into this new database and leave the live one alone'),
      )
      .addOption(
        new Option(
          '--drill',
          'Test restore: restore into a scratch database, compare row counts, drop it',
        ).conflicts('database'),
      )
      .option('-n, --dry-run', 'Verify the file, show the plan and change nothing', false)
      .option('--no-safety-backup', 'Do not back up the live database first')
      .option('--end-sessions', 'Disconnect sessions from the database')
      .option('--no-end-sessions', 'Fail if sessions are connected to the database')
      .option(
        '--stop-app',
        'Stop the containers that write to the database (server, ingest, archivers) during the restore',
      )
      .option('--no-stop-app', 'Leave the containers running')
      .option('--no-owner', 'Skip owners and privileges: the connecting user owns everything')
      .option('--no-privileges', 'Skip privileges (GRANT), but keep owners')
      .option('--no-tablespaces', 'Create everything in the default tablespace')
      .action((file: string, { database, drill, ...options }: Options) =>
        choose({ file, target: targetOf(database, drill), ...options }),
      );
    addFooter(command, HELP);
  },
  run: (input, context) => {
    // Cron jobs of existing installations rely on it; every other command needs --yes.
    const flags = { ...context.flags, yes: context.flags.yes || context.flags.nonInteractive };
    return withEngine({ ...context, flags }, async (session) => {
      const file = await completeName(session, input.file, 'backup');
      const plan = await makePlan({ ...input, file }, session);
      return runPlan(session, {
        dryRun: input.dryRun,
        values: [plan],
        lines: planLines(plan),
        consent: () => askConsent(plan, input, session),
        run: (consent) =>
          runJob(
            session,
            plan.target.kind === 'drill' ? { kind: 'drill', plan } : { kind: 'restore', plan, consent },
          ),
      });
    });
  },
  detachable: true,
});

function targetOf(database: string | undefined, drill = false): RestoreTarget {
  if (drill) return { kind: 'drill' };
  return database === undefined ? { kind: 'live' } : { kind: 'beside', database };
}

/** Reads the whole file: its progress is that of a job. */
function makePlan(
  { file, target, owner, privileges, tablespaces }: Input,
  { engine, printer, signal, flags }: Session,
): Promise<RestorePlan> {
  const print = (event: JobEvent) => {
    if (!flags.json) printer.event(event);
  };
  const stamp = () => ({ job: 'plan', time: new Date().toISOString() });
  print({ event: 'job:phase', ...stamp(), phase: `Verifying ${file}` });
  return engine.planRestore(
    { file, target, no_owner: !owner, no_privileges: !privileges, no_tablespaces: !tablespaces },
    {
      signal,
      onProgress: (bytes_in, total_bytes) =>
        print({ event: 'job:progress', ...stamp(), bytes_in, total_bytes }),
    },
  );
}

/** Asks for the consents that no flag gives. Only a restore that replaces a database needs any. */
async function askConsent(
  plan: RestorePlan,
  { safetyBackup, stopApp, endSessions }: Input,
  session: Session,
): Promise<RestoreConsent> {
  const { database, replaces, containers, sessions, target } = plan;
  if (target.kind !== 'live' || !replaces)
    return { safety_backup: false, end_sessions: false, stop_app: false };
  requirePossible(plan);
  const running = containers.filter((one) => one.running).map(({ name }) => name);
  const stop_app =
    stopApp ?? (running.length > 0 && (await ask(session, `Stop ${running.join(', ')} during the restore?`)));
  const count = sessions.length;
  // With --yes also those that connect later.
  const end_sessions =
    endSessions ??
    ((count > 0 || session.flags.yes) &&
      (await ask(session, `Disconnect sessions from the database (${count} now)?`)));
  const question = `Type the name of the database (${database}) to replace it with the backup`;
  await confirmByTyping(session, database, question);
  return { safety_backup: safetyBackup, end_sessions, stop_app };
}

/** Throws the first obstacle that no consent removes, before anything is asked. */
function requirePossible({ obstacles }: RestorePlan): void {
  const [first] = obstacles.filter(({ consent }) => consent === null);
  if (first) throw new BifractError(first.code, first.message, { hint: first.hint });
}

function planLines(plan: RestorePlan): string[] {
  const { file, backup, pg_restore, space, warnings, obstacles } = plan;
  const origin = [
    `${stampCell(backup.timestamp)} by ${backup.tool}`,
    backup.server_version && `PostgreSQL ${backup.server_version}`,
    backup.database && `database ${backup.database}`,
  ];
  const free = space.free_bytes === null ? 'free space unknown' : `${formatBytes(space.free_bytes)} free`;
  const rows = [
    row('File', `${file.path} (${formatBytes(file.size_bytes)}, verified: complete)`),
    row('Created', origin.filter(Boolean).join(', ')),
    row('Target', targetText(plan)),
    row('Server', `PostgreSQL ${plan.server_version}, ${pg_restore.location}`),
    row('Space', `about ${formatBytes(space.needed_bytes)} needed, ${free}`),
    ...plan.sessions.map((session) => row('Session', sessionText(session))),
    ...omittedRows(plan),
    ...plan.containers
      .filter(({ running }) => running)
      .map(({ name }) => row('Container', `${name} is running`)),
    ...warnings.map((text) => row('Warning', text)),
    ...obstacles.map(({ message, hint }) => row('Problem', hint ? `${message}. ${hint}` : message)),
  ];
  return [...rowLines(rows), '', ...tableLines(plan.tables), ''];
}

function omittedRows({ no_owner, no_privileges, no_tablespaces }: RestorePlan): Row[] {
  const omitted = [
    ...(no_owner ? ['owners'] : []),
    ...(no_privileges ? ['privileges'] : []),
    ...(no_tablespaces ? ['tablespaces'] : []),
  ];
  return omitted.length === 0 ? [] : [row('Left out', omitted.join(', '))];
}

function targetText({ target, database, replaces }: RestorePlan): string {
  if (target.kind === 'drill') return 'a scratch database, dropped after the comparison';
  if (replaces) return `${database}, REPLACING the current database (${formatBytes(replaces.size_bytes)})`;
  return `${database} (new database)`;
}

function sessionText({ application, pid, user, client, state, since }: DatabaseSession): string {
  const from = client === null ? '' : ` from ${client}`;
  return `${application || 'unnamed'} (${pid}) of ${user}${from}, ${state}, since ${stampCell(since)}`;
}

function tableLines(tables: RestoreTable[]): string[] {
  if (tables.length === 0) return ['The backup contains no tables.'];
  const now = tables.some(({ where }) => where !== 'backup');
  return table(tables, [
    { title: 'TABLE', cell: ({ schema, name }) => `${schema}.${name}` },
    {
      title: 'BACKUP',
      cell: ({ rows_backup, where }) => count(rows_backup, where !== 'database'),
      right: true,
    },
    ...(now
      ? [
          {
            title: 'CURRENT',
            cell: ({ rows_now, where }: RestoreTable) => count(rows_now, where !== 'backup'),
            right: true,
          },
        ]
      : []),
    { title: now ? 'CHANGE' : '', cell: ({ where }) => (now ? (CHANGES[where] ?? '') : '') },
  ]);
}

const CHANGES: Record<string, string> = { backup: 'added', database: 'dropped' };

function count(rows: number | null, exists: boolean): string {
  if (rows !== null) return formatExact(rows);
  return exists ? '?' : '-';
}
