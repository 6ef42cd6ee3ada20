import type { ArchiveRestoreQuery } from '../archive-restore.ts';
import type { Fractal } from '../ports/catalog.ts';
import type { LogStats } from '../ports/log-database.ts';
import type { FoundFile, Named } from './plan-archive-restore.ts';

const DAY_MS = 86_400_000;

/** What is known when a restore has been planned. */
interface Known {
  found: FoundFile[];
  named: Named;
  /** The fractal that gets the rows. */
  fractal: Fractal | undefined;
  /** What it holds in the window. */
  there: LogStats;
  query: ArchiveRestoreQuery;
  now: Date;
}

/** What a person should weigh before a restore of archives, a sentence each. */
export function restoreNotes(known: Known): string[] {
  return [...ofFiles(known), ...ofWay(known), ...ofFractal(known)];
}

function ofFiles({ found, named, query }: Known): string[] {
  const notes: string[] = [];
  const direct = query.via !== 'ingest';
  if (named.incomplete > 0)
    notes.push(`${named.incomplete} archives of the group are not complete, and not part of this.`);
  const bare = found.filter(({ file }) => !file.fields).length;
  if (direct && bare > 0) {
    const which = bare === found.length ? '' : ` of ${bare} of the ${found.length} files`;
    notes.push(
      `The lines${which} do not hold the parsed fields: rows come back with empty ones, and searches by field do not find them. \`--via ingest\` has the server parse them anew.`,
    );
  }
  const open = found.filter(({ sealed, file }) => !sealed && file.archive_id === null).length;
  if (open > 0) {
    notes.push(
      `${open === 1 ? 'A file has' : `${open} files have`} neither sealed ends nor a record: nothing proves that no rows are missing at the end.`,
    );
  }
  return notes;
}

function ofWay({ query }: Known): string[] {
  if (query.via !== 'ingest') return [];
  return [
    'The server parses each line anew: rows get the time of ingest, the id and the fields of today, a line without a time gets the present one, and rows that are there already come twice.',
    'Ingest takes log lines divided by newlines: a log line that has newlines in it cannot be sent, and is left out and counted.',
  ];
}

function ofFractal({ found, fractal, there, query, now }: Known): string[] {
  const notes: string[] = [];
  const last = found.map(({ file }) => file.last).reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null);
  if (query.replace && there.last !== null && last !== null && there.last > last && query.to === undefined) {
    notes.push(
      `The fractal holds rows up to ${there.last}, later than the archive's last (${last}): they are removed too. Give --to to keep them.`,
    );
  }
  const days = fractal?.retention_days ?? null;
  const first = found.map(({ file }) => file.first).find((time) => time !== null) ?? null;
  if (days !== null && first !== null && Date.parse(first) < now.getTime() - days * DAY_MS) {
    notes.push(
      `The fractal keeps rows for ${days} days: the server deletes older ones again, unless its retention is changed before.`,
    );
  }
  return notes;
}
