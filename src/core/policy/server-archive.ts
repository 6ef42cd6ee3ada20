import type { ServerArchive } from '../ports/catalog.ts';
import { formatStamp } from '../text/time.ts';
import { formatBytes, plural } from '../text/units.ts';

/** The archiver of the server writes its status at least every minute. */
const STALE_AFTER_MS = 5 * 60_000;

/** The server's own archive, and whether its archiver seems to have stopped. */
export interface ServerArchiveStatus extends ServerArchive {
  stale: boolean;
  /** One sentence: how much it holds, and what is wrong. */
  detail: string;
}

export function describeServerArchive(archive: ServerArchive, now: Date): ServerArchiveStatus {
  const { updated_at, last_commit_at, fractal_count, total_bytes, total_records } = archive;
  const stale = now.getTime() - Date.parse(updated_at) > STALE_AFTER_MS;
  const commit =
    last_commit_at === null ? 'nothing committed yet' : `last commit ${formatStamp(last_commit_at)} UTC`;
  const holds = `${plural(fractal_count, 'fractal')}, ${plural(total_records, 'record')}, ${formatBytes(total_bytes)}; ${commit}`;
  const warning = `. No status since ${formatStamp(updated_at)} UTC: check the container bifract-archiver`;
  return { ...archive, stale, detail: stale ? holds + warning : holds };
}
