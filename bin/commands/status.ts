import { asBifractError, ERROR_EXITS, type ErrorReport, EXIT } from '../../src/core/contract/errors.ts';
import type {
  ArchiveRecord,
  BackupFile,
  Engine,
  Fractal,
  Health,
  Leftover,
  Timestamp,
} from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { leftoverLines } from '../output/leftovers.ts';
import { stampCell, table } from '../output/tables.ts';
import { withEngine } from '../session.ts';

/** Prints the status. Exits 3 for a bad key, 4 for an unreachable part, 5 for a bad newest backup, else 0. */
export const command = defineCommand<object>({
  declare(command, choose) {
    command
      .description('Check every component, and show how far each fractal is archived')
      .action(() => choose({}));
  },
  run: (_input, context) =>
    withEngine(context, async ({ engine, printer, signal }) => {
      const status = await readStatus(engine, signal);
      printer.result(status, statusLines(status));
      const { key, release, server_archive: _, ...parts } = status.health;
      if (!key.ok) return EXIT.config;
      if (!Object.values(parts).every(({ ok }) => ok)) return EXIT.unreachable;
      if (release?.ok === false) return ERROR_EXITS.UNSUPPORTED;
      return status.last_backup_error ? ERROR_EXITS[status.last_backup_error.code] : EXIT.done;
    }),
  only_output: true,
});

/** The output of `status`: health of each part, and how far each fractal is archived. */
interface Status {
  dir: string;
  health: Omit<Health, 'leftovers'>;
  last_backup: BackupFile | null;
  /** Why the newest backup cannot be read with this key or is incomplete, by its header and trailer; null if it is good. */
  last_backup_error: ErrorReport | null;
  backups: number;
  /** What is wrong with backups: times that disagree or are in the future, files that cannot be read. */
  backup_notes: { name: string; note: string }[];
  /** Jobs whose process crashed and whose data is not cleaned up yet. */
  interrupted: InterruptedJob[];
  /** Interrupted jobs that could not be cleaned up, and what to do. */
  leftovers: Leftover[];
  fractals: FractalStatus[];
}

/** A job whose process crashed, and what to do. */
interface InterruptedJob {
  id: string;
  title: string;
  hint: string;
}

/** A fractal, its newest completed archive, and its coverage. */
interface FractalStatus {
  id: string;
  name: string;
  log_count: number;
  last_archive: ArchiveRecord | null;
  /** All complete files of the request that wrote it: their number and rows. */
  last_archive_whole: { files: number; rows: number } | null;
  /** As in `Coverage`; also null if the rows could not be counted. */
  protected_until: Timestamp | null;
  /** Null if the rows could not be counted in time. */
  unprotected_rows: number | null;
}

/** For a job that ended, but left something. */
const CLEANED_LATER = 'The next job, or `bifract clean`, cleans up after it.';

/** Notes on backups to show. */
const NOTES = 5;

/** Monitors call `status`: counts that take longer are left out. */
const COUNT_LIMIT_MS = 20_000;

/** Queries everything at once. A part that fails shows in its health and has an empty list. */
export async function readStatus(engine: Engine, signal?: AbortSignal): Promise<Status> {
  const [{ leftovers, ...health }, backups, fractals, archives, jobs] = await Promise.all([
    engine.health({ signal }),
    engine.backups({ signal }).catch(() => []),
    engine.fractals({ signal }).catch(() => []),
    engine.archives({}, { signal }).catch(() => []),
    engine.knownJobs({ signal }).catch(() => []),
  ]);
  const [last_backup = null] = backups;
  const completed = archives.filter(({ status }) => status === 'completed' || status === 'restoring');
  return {
    dir: engine.installation.dir,
    health,
    last_backup,
    last_backup_error: last_backup && (await checkBackup(engine, last_backup, signal)),
    backups: backups.length,
    backup_notes: backups.flatMap(({ name, notes }) => notes.map((note) => ({ name, note }))),
    interrupted: jobs
      .filter(({ unsettled }) => unsettled)
      .map(({ id, title, error }) => ({ id, title, hint: error?.hint ?? CLEANED_LATER })),
    leftovers,
    fractals: await describe(engine, fractals, completed, health.clickhouse.ok, signal),
  };
}

/** One after the other, so that monitors do not load ClickHouse. */
async function describe(
  engine: Engine,
  fractals: readonly Fractal[],
  completed: readonly ArchiveRecord[],
  countable: boolean,
  signal: AbortSignal = new AbortController().signal,
): Promise<FractalStatus[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(COUNT_LIMIT_MS)]);
  const described: FractalStatus[] = [];
  for (const { id, name, log_count } of fractals) {
    const count = () => engine.coverage(id, { signal: limited });
    const coverage = countable && !limited.aborted ? await count().catch(() => undefined) : undefined;
    const last_archive = completed.find(({ fractal_id }) => fractal_id === id) ?? null;
    described.push({
      id,
      name,
      log_count,
      last_archive,
      last_archive_whole: last_archive && filesOf(last_archive, completed),
      protected_until: coverage?.protected_until ?? null,
      unprotected_rows: coverage?.unprotected_rows ?? null,
    });
  }
  signal.throwIfAborted();
  return described;
}

function filesOf(last: ArchiveRecord, completed: readonly ArchiveRecord[]): { files: number; rows: number } {
  const files = completed.filter(
    ({ id, group_id }) => id === last.id || (group_id !== null && group_id === last.group_id),
  );
  return { files: files.length, rows: files.reduce((sum, { log_count }) => sum + log_count, 0) };
}

/** Reads header and trailer of a backup, so that a bad one is noticed before it is needed. */
function checkBackup(
  engine: Engine,
  { name }: BackupFile,
  signal?: AbortSignal,
): Promise<ErrorReport | null> {
  return engine.show(name, { signal }).then(
    () => null,
    (error: unknown) => asBifractError(error).report(),
  );
}

/** The status, human-readable. */
export function statusLines(status: Status): string[] {
  return [
    `Installation  ${sanitize(status.dir)}`,
    '',
    ...healthLines(status),
    '',
    ...leftoverLines(status.leftovers),
    ...(status.leftovers.length > 0 ? [''] : []),
    ...interruptedLines(status),
    ...protectionLines(status),
  ];
}

/** Interrupted jobs explain rows that seem to be missing. Those that cannot be cleaned up have their own lines. */
function interruptedLines({ interrupted, leftovers }: Status): string[] {
  const others = interrupted.filter(({ id }) => !leftovers.some(({ job }) => job === id));
  return others.flatMap(({ id, title, hint }) => [
    `Interrupted   ${sanitize(title)} (${id})`,
    `              ${hint}`,
    '',
  ]);
}

function healthLines({ health }: Status): string[] {
  const { release, postgres, clickhouse, backups, archives, key, server_archive } = health;
  const parts: { name: string; ok: boolean; stale?: boolean; detail: string }[] = [
    ...(release ? [{ name: 'Release', ...release }] : []),
    { name: 'PostgreSQL', ...postgres },
    { name: 'ClickHouse', ...clickhouse },
    { name: 'Backups', ...backups, detail: storageDetail(backups) },
    { name: 'Archives', ...archives, detail: storageDetail(archives) },
    ...(server_archive ? [{ name: 'Iceberg', ok: true, ...server_archive }] : []),
    { name: 'Key', ...key },
  ];
  return table(parts, [
    { title: 'PART', cell: ({ name }) => name },
    { title: 'STATE', cell: ({ ok, stale }) => (stale ? 'STALE' : ok ? 'ok' : 'FAILED') },
    { title: 'DETAIL', cell: ({ detail }) => detail.trim(), wraps: true },
  ]);
}

function storageDetail({ location, detail, free_bytes }: Status['health']['backups']): string {
  const free = free_bytes === undefined ? '' : `; ${formatBytes(free_bytes)} free`;
  return `${location}  ${detail}${free}`;
}

function protectionLines(status: Status): string[] {
  const { last_backup, last_backup_error, backups, fractals } = status;
  const last = [...lastBackup(last_backup, backups, last_backup_error), ...noteLines(status)];
  if (fractals.length === 0) return last;
  const rows = table(fractals, [
    { title: 'FRACTAL', cell: ({ name }) => name },
    { title: 'LOGS (CACHED)', cell: ({ log_count }) => formatExact(log_count), right: true },
    {
      title: 'LAST ARCHIVE',
      cell: (fractal) => lastArchive(fractal),
      short: ({ last_archive }) => stampCell(last_archive?.created_at ?? null),
    },
    { title: 'PROTECTED UNTIL', cell: (fractal) => protectedUntil(fractal), rank: 1 },
    { title: 'NOT ARCHIVED', cell: ({ unprotected_rows }) => unprotected(unprotected_rows), right: true },
  ]);
  return [...last, '', ...rows];
}

function lastBackup(
  last: Status['last_backup'],
  count: number,
  error: Status['last_backup_error'],
): string[] {
  if (!last) return ['Last backup   none'];
  const line = `Last backup   ${stampCell(last.created_at)}  ${formatBytes(last.size_bytes)}  (${count} in total)`;
  if (!error) return [`${line}  readable with the current key`];
  return [line, `              FAILED: ${sanitize(error.message)}.${error.hint ? ` ${error.hint}` : ''}`];
}

function noteLines({ backup_notes }: Status): string[] {
  const shown = backup_notes
    .slice(0, NOTES)
    .map(({ name, note }) => `              ${sanitize(name)}: ${sanitize(note)}`);
  const more = backup_notes.length - shown.length;
  return more > 0 ? [...shown, `              ${more} more: see \`bifract list backups\``] : shown;
}

function lastArchive({ last_archive, last_archive_whole }: Status['fractals'][number]): string {
  if (!last_archive || !last_archive_whole) return 'none';
  const { files, rows } = last_archive_whole;
  const split = files > 1 ? ` in ${formatExact(files)} files` : '';
  return `${stampCell(last_archive.created_at)}  ${plural(rows, 'log')}${split}`;
}

function protectedUntil({ protected_until, unprotected_rows }: Status['fractals'][number]): string {
  if (unprotected_rows === null) return '?';
  return stampCell(protected_until);
}

function unprotected(rows: number | null): string {
  return rows === null ? '?' : formatExact(rows);
}
