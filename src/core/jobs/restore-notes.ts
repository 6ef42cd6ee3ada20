import type { ArchiveRestorePlan, ArchiveRestoreQuery } from '../archive-restore.ts';
import type { Fractal } from '../ports/catalog.ts';
import type { FoundFile } from './archive-found.ts';

const DAY_MS = 86_400_000;

/** What is known when a restore has been planned. */
interface Known {
  found: FoundFile[];
  /** Of a group: archives of it that cannot be restored. */
  incomplete: number;
  /** The fractal that gets the rows. */
  fractal: Fractal | undefined;
  /** Of which time rows go first. */
  removes: ArchiveRestorePlan['removes'];
  query: ArchiveRestoreQuery;
  now: Date;
}

/** What a person should weigh before a restore of archives, a sentence each. */
export function restoreNotes(known: Known): string[] {
  return [...ofFiles(known), ...ofWay(known), ...ofFractal(known)];
}

function ofFiles({ found, incomplete, query }: Known): string[] {
  const notes: string[] = [];
  const direct = query.via !== 'ingest';
  if (incomplete > 0)
    notes.push(`${incomplete} archives of the group are not complete, and not part of this.`);
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

function ofFractal({ found, fractal, removes, query, now }: Known): string[] {
  const notes: string[] = [];
  if (removes?.from && removes.to && (query.from === undefined || query.to === undefined)) {
    notes.push(
      `All rows from ${removes.from} to before ${removes.to} are removed first, those that the archive does not hold among them; rows of other times stay. Choose another time with from and to.`,
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
