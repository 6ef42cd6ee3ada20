import type { JobView } from '../../core/index.ts';
import { formatPercent } from '../../core/text/units.ts';
import type { TabProgress } from '../text/osc.ts';
import type { Snapshot } from './types.ts';

/** Progress of all running jobs: the mean of those whose size is known. */
export function progressOf(jobs: readonly JobView[]): TabProgress {
  const running = jobs.filter((job) => job.ended_at === undefined);
  if (running.length === 0) return 'none';
  const known = running.flatMap(({ fraction }) => (fraction === undefined ? [] : [fraction]));
  return known.length === 0 ? 'unknown' : known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** Whether a part of the installation does not work. */
function hasProblem({ data }: Snapshot): boolean {
  const { value, error } = data.health;
  if (!value) return error !== undefined;
  return [value.postgres, value.clickhouse, value.backups, value.archives, value.key].some(({ ok }) => !ok);
}

/** The title of the terminal: progress or trouble first, because tabs cut the end. */
export function terminalTitle(snapshot: Snapshot): string {
  const progress = progressOf(snapshot.jobs);
  const work =
    progress === 'none' ? '' : progress === 'unknown' ? '[running] ' : `[${formatPercent(progress)}] `;
  return `${hasProblem(snapshot) ? '[!] ' : ''}${work}bifract ${snapshot.installation.dir}`;
}
