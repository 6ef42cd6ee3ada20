import type { ArchiveBrowser } from '../../../core/index.ts';
import type { MatchCount, Search } from '../../view/types.ts';

/** Limits of a count, which reads the archive to its end: matches, and time. */
const MAX_MATCHES = 100_000;
const MAX_MS = 30_000;

/** Counts the matches of a search and reports after each part of the archive. Ends early at a limit, or if it fails. */
export async function countMatches(
  browser: Pick<ArchiveBrowser, 'matches'>,
  { pattern }: Search,
  report: (count: MatchCount) => void,
  signal: AbortSignal,
): Promise<void> {
  const rows: number[] = [];
  let searched = 0;
  const send = (ended?: MatchCount['ended']) => {
    if (!signal.aborted) report({ rows, total: rows.length, searched, ended });
  };
  const started = Date.now();
  try {
    for await (const part of browser.matches(pattern, { signal })) {
      for (const { row } of part.matches) rows.push(row);
      searched = part.searched;
      if (rows.length >= MAX_MATCHES || Date.now() - started > MAX_MS) return send('limit');
      send();
    }
    send('complete');
  } catch {
    // A search for the next match reports the error.
    send('failed');
  }
}
