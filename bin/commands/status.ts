import { EXIT } from '../../src/core/errors.ts';
import type { ArchiveRecord, BackupFile, Engine, Health } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { statusLines } from '../print/status.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

/** What `status` tells: health of each part, and what is protected since when. */
export interface Status {
  dir: string;
  health: Health;
  last_backup: BackupFile | null;
  backups: number;
  /** Each fractal with its newest completed archive. */
  fractals: { id: string; name: string; log_count: number; last_archive: ArchiveRecord | null }[];
}

/** Prints the status. Exit 3 where the key is no good, 4 where a part cannot be reached, else 0. */
export function statusCommand(
  invocation: Extract<Invocation, { command: 'status' }>,
  printer: Printer,
): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const status = await gather(engine, signal);
    printer.result(status, statusLines(status));
    const { key, ...parts } = status.health;
    if (!key.ok) return EXIT.config;
    return Object.values(parts).every(({ ok }) => ok) ? 0 : EXIT.unreachable;
  });
}

/** Asks for everything at once; a part that fails is told by its health and leaves its list empty. */
export async function gather(engine: Engine, signal?: AbortSignal): Promise<Status> {
  const [health, backups, fractals, archives] = await Promise.all([
    engine.health({ signal }),
    engine.backups({ signal }).catch(() => []),
    engine.fractals({ signal }).catch(() => []),
    engine.archives({}, { signal }).catch(() => []),
  ]);
  const completed = archives.filter(({ status }) => status === 'completed' || status === 'restoring');
  return {
    dir: engine.installation.dir,
    health,
    last_backup: backups[0] ?? null,
    backups: backups.length,
    fractals: fractals.map(({ id, name, log_count }) => ({
      id,
      name,
      log_count,
      last_archive: completed.find(({ fractal_id }) => fractal_id === id) ?? null,
    })),
  };
}
