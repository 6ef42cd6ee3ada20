import { asBifractError, ERROR_EXITS, type ErrorReport, EXIT } from '../../src/core/contract/errors.ts';
import { type ArchiveRecord, type Engine, type Fractal, judge } from '../../src/core/index.ts';
import { defineCommand } from '../command.ts';
import { type FractalStatus, type Status, statusLines } from '../output/status-lines.ts';
import { withEngine } from '../session.ts';

/**
 * Prints the status. Exits 3 for a bad key, 4 for an unreachable part (a folder of backups that is not mounted, too), 5 for
 * a bad newest backup, else 0.
 */
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
      const error = status.backups_error ?? status.last_backup_error;
      return error ? ERROR_EXITS[error.code] : EXIT.done;
    }),
  only_output: true,
});

/** For a job that ended, but left something. */
const CLEANED_LATER = 'The next job, or `bifract clean`, cleans up after it.';

/** Monitors call `status`: counts that take longer are left out. */
const COUNT_LIMIT_MS = 20_000;

/** Queries everything at once. A part that fails shows in its health and has an empty list. */
export async function readStatus(engine: Engine, signal?: AbortSignal): Promise<Status> {
  let backups_error: ErrorReport | null = null;
  const [{ leftovers, ...health }, backups, fractals, archives, jobs, checks] = await Promise.all([
    engine.health({ signal }),
    engine.backups({ signal }).catch((error: unknown) => {
      backups_error = asBifractError(error).report();
      return [];
    }),
    engine.fractals({ signal }).catch(() => undefined),
    engine.archives({}, { signal }).catch(() => undefined),
    engine.knownJobs({ signal }).catch(() => []),
    engine.checks().catch(() => undefined),
  ]);
  const [last_backup = null] = backups;
  const completed = (archives ?? []).filter(({ status }) => status === 'completed' || status === 'restoring');
  return {
    dir: engine.installation.dir,
    health,
    last_backup,
    last_backup_error: last_backup?.error ?? null,
    // What could not be loaded is not known: it must not look safe.
    verdict: judge({
      ...{ now: new Date(), health, backups },
      ...(backups_error ? { backups_error } : {}),
      ...(fractals && { fractals }),
      ...(archives && { archives }),
      ...(checks && { checks }),
    }),
    backups_error,
    backups: backups.length,
    backup_notes: backups.flatMap(({ name, notes }) => notes.map((note) => ({ name, note }))),
    interrupted: jobs
      .filter(({ unsettled }) => unsettled)
      .map(({ id, title, error }) => ({ id, title, hint: error?.hint ?? CLEANED_LATER })),
    leftovers,
    fractals: await describe(engine, fractals ?? [], completed, health.clickhouse.ok, signal),
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
