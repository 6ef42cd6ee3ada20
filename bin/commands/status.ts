import { asBifractError, ERROR_EXITS, type ErrorReport, EXIT } from '../../src/core/errors.ts';
import type { ArchiveRecord, BackupFile, Engine, Fractal, Health, Timestamp } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { statusLines } from '../print/status.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

/** What `status` tells: health of each part, and what is protected since when. */
export interface Status {
  dir: string;
  health: Health;
  last_backup: BackupFile | null;
  /** Why the newest backup does not open with this key or is not whole, by its ends; null where it is well. */
  last_backup_error: ErrorReport | null;
  backups: number;
  /** Jobs whose process died, and what they left is not put right yet. */
  interrupted: InterruptedJob[];
  fractals: FractalStatus[];
}

/** A job that was killed, and what to do about it. */
export interface InterruptedJob {
  id: string;
  title: string;
  hint: string;
}

/** A fractal, its newest completed archive, and how far archives hold its rows. */
export interface FractalStatus {
  id: string;
  name: string;
  log_count: number;
  last_archive: ArchiveRecord | null;
  /** All files of the request that made it, as far as they are complete: how many, and their rows. */
  last_archive_whole: { files: number; rows: number } | null;
  /** As `Coverage` has it; null as well where nobody could count. */
  protected_until: Timestamp | null;
  /** Null where nobody could count, or there was not the time. */
  unprotected_rows: number | null;
}

/** Status is asked by monitors: what takes longer to count is left out. */
const COUNT_LIMIT_MS = 20_000;

/** Prints the status. Exit 3 where the key is no good, 4 where a part cannot be reached, 5 where the newest backup is no good, else 0. */
export function statusCommand(
  invocation: Extract<Invocation, { command: 'status' }>,
  printer: Printer,
): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const status = await gather(engine, signal);
    printer.result(status, statusLines(status));
    const { key, ...parts } = status.health;
    if (!key.ok) return EXIT.config;
    if (!Object.values(parts).every(({ ok }) => ok)) return EXIT.unreachable;
    return status.last_backup_error ? ERROR_EXITS[status.last_backup_error.code] : EXIT.done;
  });
}

/** Asks for everything at once; a part that fails is told by its health and leaves its list empty. */
export async function gather(engine: Engine, signal?: AbortSignal): Promise<Status> {
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
    last_backup_error: last_backup && (await trouble(engine, last_backup, signal)),
    backups: backups.length,
    interrupted: jobs
      .filter(({ unsettled }) => unsettled)
      .map(({ id, title, error }) => ({ id, title, hint: error?.hint ?? '' })),
    fractals: await describe(engine, fractals, completed, health.clickhouse.ok, signal),
  };
}

/** One after the other: monitors are not to load ClickHouse. */
async function describe(
  engine: Engine,
  fractals: readonly Fractal[],
  completed: readonly ArchiveRecord[],
  countable: boolean,
  signal: AbortSignal = new AbortController().signal,
): Promise<FractalStatus[]> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(COUNT_LIMIT_MS)]);
  const described: FractalStatus[] = [];
  for (const { id, name, log_count } of fractals) {
    const count = () => engine.coverage(id, { signal: either });
    const coverage = countable && !either.aborted ? await count().catch(() => undefined) : undefined;
    const last_archive = completed.find(({ fractal_id }) => fractal_id === id) ?? null;
    described.push({
      id,
      name,
      log_count,
      last_archive,
      last_archive_whole: last_archive && wholeOf(last_archive, completed),
      protected_until: coverage?.protected_until ?? null,
      unprotected_rows: coverage?.unprotected_rows ?? null,
    });
  }
  signal.throwIfAborted();
  return described;
}

function wholeOf(last: ArchiveRecord, completed: readonly ArchiveRecord[]): { files: number; rows: number } {
  const files = completed.filter(
    ({ id, group_id }) => id === last.id || (group_id !== null && group_id === last.group_id),
  );
  return { files: files.length, rows: files.reduce((sum, { log_count }) => sum + log_count, 0) };
}

/** A backup that cannot be read when it is needed is worse than none: it is told while there is time. */
function trouble(engine: Engine, { name }: BackupFile, signal?: AbortSignal): Promise<ErrorReport | null> {
  return engine.show(name, { signal }).then(
    () => null,
    (error: unknown) => asBifractError(error).report(),
  );
}
