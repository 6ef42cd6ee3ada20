import type { Fractal } from '../../ports/catalog.ts';
import type { ArchiveRestorePlan, ArchiveRestoreQuery } from './contract.ts';
import type { InspectedFile } from './inspect-source.ts';

const DAY_MS = 86_400_000;

/** What planning a restore found out. */
interface NoteFacts {
  files: InspectedFile[];
  /** Archives of the group that cannot be restored. */
  incomplete: number;
  /** The target fractal. */
  fractal: Fractal | undefined;
  /** Time range in which rows are deleted first. */
  removes: ArchiveRestorePlan['removes'];
  query: ArchiveRestoreQuery;
  now: Date;
}

/** What to consider before a restore of archives, one sentence each. */
export function restoreNotes(facts: NoteFacts): string[] {
  return [...fileNotes(facts), ...methodNotes(facts), ...fractalNotes(facts)];
}

function fileNotes({ files, incomplete, query }: NoteFacts): string[] {
  const notes: string[] = [];
  const direct = query.via !== 'ingest';
  if (incomplete > 0)
    notes.push(`${incomplete} archives of the group are incomplete and will not be restored.`);
  const withoutFields = files.filter(({ file }) => !file.fields).length;
  if (direct && withoutFields > 0) {
    const which = withoutFields === files.length ? '' : ` in ${withoutFields} of the ${files.length} files`;
    notes.push(
      `Parsed fields are missing${which}: restored rows will have empty fields, and field searches will not find them. Use \`--via ingest\` to have the server parse the lines again.`,
    );
  }
  const unproven = files.filter(({ sealed, file }) => !sealed && file.archive_id === null).length;
  if (unproven > 0) {
    notes.push(
      `${unproven === 1 ? '1 file has' : `${unproven} files have`} neither a trailer nor a record: rows may be missing at the end.`,
    );
  }
  return notes;
}

function methodNotes({ query }: NoteFacts): string[] {
  if (query.via !== 'ingest') return [];
  return [
    'The server parses each line again: rows get the time of ingest, new ids and current fields; lines without a time get the present one; existing rows are duplicated.',
    'Log lines that contain newlines cannot be ingested: they are skipped and counted.',
  ];
}

function fractalNotes({ files, fractal, removes, query, now }: NoteFacts): string[] {
  const notes: string[] = [];
  if (removes?.from && removes.to && (query.from === undefined || query.to === undefined)) {
    notes.push(
      `All rows from ${removes.from} to before ${removes.to} are deleted first, including those that the archive does not have; other rows are kept. Use --from and --to to choose another range.`,
    );
  }
  const days = fractal?.retention_days ?? null;
  const first = files.map(({ file }) => file.first).find((time) => time !== null) ?? null;
  if (days !== null && first !== null && Date.parse(first) < now.getTime() - days * DAY_MS) {
    notes.push(
      `The fractal keeps rows for ${days} days: the server will delete older rows again unless you raise its retention first.`,
    );
  }
  return notes;
}
