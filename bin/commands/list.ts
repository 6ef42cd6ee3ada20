import { asBifractError, type BifractError } from '../../src/core/contract/errors.ts';
import type { ArchiveRecord, BackupFile, CheckResult, Fractal } from '../../src/core/index.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import { findFractal } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { dayCell, stampCell, table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';
import { orphanLines } from './clean.ts';

type Input = { what: 'backups' | 'fractals' | 'orphans' } | { what: 'archives'; fractal?: string };

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('List backups, fractals, archives or orphans')
      .helpCommand('help [command]', 'Print help for a command');
    command
      .command('backups')
      .description('List backup files, newest first')
      .action(() => choose({ what: 'backups' }));
    command
      .command('fractals')
      .description('List fractals')
      .action(() => choose({ what: 'fractals' }));
    command
      .command('archives')
      .description('List archives, newest first')
      .option('--fractal <fractal>', 'Only archives of this fractal (name or ID)')
      .action((options: { fractal?: string }) => choose({ what: 'archives', ...options }));
    command
      .command('orphans')
      .description(
        'List files without a record, records without a file, unfinished files of interrupted jobs, and backups whose names are not recognized',
      )
      .action(() => choose({ what: 'orphans' }));
  },
  run: (input, context) =>
    withEngine(context, async (session) => {
      let incomplete: BifractError | undefined;
      const onIncomplete = (error: BifractError) => {
        incomplete ??= error;
      };
      const { values, lines } = await listing(input, session, onIncomplete);
      // That there is nothing cannot be said of an incomplete list.
      if (!incomplete || values.length > 0) session.printer.list(values, lines);
      if (incomplete) throw incomplete;
      return 0;
    }),
  only_output: true,
});

async function listing(
  input: Input,
  session: Session,
  onIncomplete: (error: BifractError) => void,
): Promise<{ values: object[]; lines: string[] }> {
  const { engine, signal } = session;
  switch (input.what) {
    case 'backups': {
      const backups = await engine.backups({ signal, onIncomplete });
      return { values: backups, lines: backupLines(backups) };
    }
    case 'fractals': {
      const fractals = await engine.fractals({ signal });
      return { values: fractals, lines: fractalLines(fractals) };
    }
    case 'orphans': {
      const orphans = await engine.orphans({ signal, onIncomplete });
      return { values: orphans, lines: orphanLines(orphans) };
    }
    case 'archives': {
      const { fractal } = input;
      const archives = await archivesOf(session, fractal);
      return { values: archives, lines: archiveLines(archives) };
    }
  }
}

/** Archives of a fractal, which may no longer exist: its archives keep its name. */
async function archivesOf(session: Session, wanted: string | undefined): Promise<ArchiveRecord[]> {
  const { engine, signal } = session;
  if (wanted === undefined) return engine.archives({}, { signal });
  try {
    const { id: fractal_id } = await findFractal(session, wanted);
    return await engine.archives({ fractal_id }, { signal });
  } catch (error) {
    if (asBifractError(error).code !== 'NOT_FOUND') throw error;
    const archives = await engine.archives({}, { signal });
    const found = archives.filter((one) => one.fractal_id === wanted || one.fractal_name === wanted);
    if (found.length === 0) throw error;
    return found;
  }
}

function backupLines(backups: BackupFile[]): string[] {
  if (backups.length === 0) return ['No backups yet. Create one with `bifract backup`.'];
  return [
    ...table(backups, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'CREATED', cell: ({ created_at }) => stampCell(created_at) },
      { title: 'STORAGE', cell: ({ storage_type }) => storage_type, rank: 3 },
      { title: 'OPENS', cell: ({ error }) => (error ? 'NO' : 'yes') },
      { title: 'VERIFIED', cell: ({ verified }) => resultCell(verified), rank: 1 },
      { title: 'TEST RESTORE', cell: ({ restored }) => resultCell(restored), rank: 2 },
    ]),
    ...backups.flatMap(({ name, notes }) => notes.map((note) => `  ${name}: ${note}`)),
    ...otherStorageLines(backups),
  ];
}

function resultCell(result: CheckResult | null): string {
  if (!result) return '-';
  return `${result.ok ? '' : 'FAILED '}${stampCell(result.at)}${result.ok && result.quick ? ' (quick)' : ''}`;
}

/** Backups that a change of settings left behind, or copies. */
function otherStorageLines(backups: readonly BackupFile[]): string[] {
  const others = backups.filter(({ id, name }) => id !== name);
  const [first] = others;
  if (!first) return [];
  const folder = first.path.slice(0, first.path.lastIndexOf('/'));
  return [`${plural(others.length, 'backup')} in ${folder}, where backups do not go now.`];
}

function fractalLines(fractals: Fractal[]): string[] {
  if (fractals.length === 0) return ['No fractals.'];
  return table(fractals, [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'ID', cell: ({ id }) => id, rank: 3 },
    { title: 'LOGS (CACHED)', cell: ({ log_count }) => formatExact(log_count), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    {
      title: 'OLDEST',
      cell: ({ earliest_log }) => stampCell(earliest_log),
      short: ({ earliest_log }) => dayCell(earliest_log),
      rank: 2,
    },
    {
      title: 'NEWEST',
      cell: ({ latest_log }) => stampCell(latest_log),
      short: ({ latest_log }) => dayCell(latest_log),
      rank: 1,
    },
    { title: 'SCHEDULE', cell: ({ archive_schedule }) => archive_schedule },
  ]);
}

/** Characters of an ID that commands accept for it. */
const ID_PREFIX = 8;

const STATUS_LABELS: Record<string, string> = {
  in_progress: 'Archiving',
  completed: 'Completed',
  failed: 'Failed',
  restoring: 'Restoring',
};

function archiveLines(archives: ArchiveRecord[]): string[] {
  if (archives.length === 0) return ['No archives yet. Create one with `bifract archive <fractal>`.'];
  return table(archives, [
    { title: 'ID', cell: ({ id }) => id, short: ({ id }) => id.slice(0, ID_PREFIX) },
    { title: 'FRACTAL', cell: ({ fractal_name }) => fractal_name },
    { title: 'STATUS', cell: ({ status }) => STATUS_LABELS[status] ?? status },
    { title: 'LOGS', cell: ({ log_count }) => formatExact(log_count), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    {
      title: 'FROM',
      cell: ({ time_range_start }) => stampCell(time_range_start),
      short: ({ time_range_start }) => dayCell(time_range_start),
      rank: 2,
    },
    {
      title: 'TO',
      cell: ({ time_range_end }) => stampCell(time_range_end),
      short: ({ time_range_end }) => dayCell(time_range_end),
      rank: 1,
    },
    { title: 'CREATED', cell: ({ created_at }) => stampCell(created_at), rank: 4 },
    { title: 'ERROR', cell: ({ error_message }) => error_message ?? '', rank: 3, wraps: true },
  ]);
}
