import { asBifractError, ERROR_EXITS, type ErrorReport, EXIT } from '../../src/core/contract/errors.ts';
import type { ArchiveRecord, BackupFile, Engine, Fractal, Health, Timestamp } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { statusLines } from '../print/status.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

/** The output of `status`: health of each part, and since when data is protected. */
export interface Status {
  dir: string;
  health: Health;
  last_backup: BackupFile | null;
  /** Why the newest backup cannot be read with this key or is incomplete, by its header and trailer; null if it is good. */
  last_backup_error: ErrorReport | null;
  backups: number;
  /** Jobs whose process crashed and whose data is not cleaned up yet. */
  interrupted: InterruptedJob[];
  fractals: FractalStatus[];
}

/** A job whose process crashed, and what to do. */
export interface InterruptedJob {
  id: string;
  title: string;
  hint: string;
}

/** A fractal, its newest completed archive, and its coverage. */
export interface FractalStatus {
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

/** Monitors call `status`: counts that take longer are left out. */
const COUNT_LIMIT_MS = 20_000;

/** Prints the status. Exits 3 for a bad key, 4 for an unreachable part, 5 for a bad newest backup, else 0. */
export function statusCommand(
  invocation: Extract<Invocation, { command: 'status' }>,
  printer: Printer,
): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const status = await readStatus(engine, signal);
    printer.result(status, statusLines(status));
    const { key, ...parts } = status.health;
    if (!key.ok) return EXIT.config;
    if (!Object.values(parts).every(({ ok }) => ok)) return EXIT.unreachable;
    return status.last_backup_error ? ERROR_EXITS[status.last_backup_error.code] : EXIT.done;
  });
}

/** Queries everything at once. A part that fails shows in its health and has an empty list. */
export async function readStatus(engine: Engine, signal?: AbortSignal): Promise<Status> {
  const [health, backups, fractals, archives, jobs] = await Promise.all([
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
    interrupted: jobs
      .filter(({ unsettled }) => unsettled)
      .map(({ id, title, error }) => ({ id, title, hint: error?.hint ?? '' })),
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
