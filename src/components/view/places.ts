import type { ArchiveRecord, BackupFile, Fractal } from '../../core/index.ts';
import { formatStamp } from '../../core/text/time.ts';
import { resembles } from '../text/fuzzy.ts';
import { archiveName } from './archive-name.ts';
import { memo } from './snapshot.ts';
import type { Context, Snapshot } from './types.ts';

/** Something that can be jumped to by its name. */
export interface Place {
  kind: 'context' | 'fractal' | 'backup' | 'archive';
  id: string;
  name: string;
}

interface IndexedPlace extends Place {
  /** Kind and name, in lowercase. */
  text: string;
}

/** More are not looked through by anyone. */
const MAX_FOUND = 50;

function indexed(kind: Place['kind'], id: string, name: string): IndexedPlace {
  return { kind, id, name, text: `${kind} ${name.toLowerCase()}` };
}

const byCreation = <T extends { created_at: string }>(records: readonly T[]) =>
  records.toSorted((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0));

// Each is indexed on its own: another list that was loaded again does not matter.
const contextPlaces = memo((contexts: readonly Context[]) =>
  contexts.map(({ dir }) => indexed('context', dir, dir)),
);
const fractalPlaces = memo((fractals: readonly Fractal[]) =>
  fractals.map(({ id, name }) => indexed('fractal', id, name)),
);
const backupPlaces = memo((backups: readonly BackupFile[]) =>
  byCreation(backups).map(({ name, created_at }) =>
    indexed('backup', name, `${formatStamp(created_at)} UTC`),
  ),
);
const archivePlaces = memo((archives: readonly ArchiveRecord[]) =>
  byCreation(archives).map((record) => indexed('archive', record.id, archiveName(record))),
);

const NONE: readonly never[] = [];

/** The matching places, those whose name starts with the first word first. */
function matching(places: readonly IndexedPlace[], matches: (place: IndexedPlace) => boolean, start: string) {
  const found = places.filter(matches);
  const starts = (place: IndexedPlace) => Number(!place.name.toLowerCase().startsWith(start));
  return found.toSorted((a, b) => starts(a) - starts(b)).slice(0, MAX_FOUND);
}

/**
 * The installations, fractals, backups and archives whose kind and name contain all words of a query, newest first; if there
 * are none, those that contain something similar. At most 50; none for an empty query.
 */
export function searchPlaces({ data, contexts }: Snapshot, query: string): readonly Place[] {
  const words = query.toLowerCase().split(' ').filter(Boolean);
  const [start] = words;
  if (start === undefined) return NONE;
  const places = [
    contextPlaces(contexts.recent),
    fractalPlaces(data.fractals.value ?? NONE),
    backupPlaces(data.backups.value ?? NONE),
    archivePlaces(data.archives.value ?? NONE),
  ];
  const find = (contains: (text: string, word: string) => boolean) =>
    places
      .flatMap((one) => matching(one, ({ text }) => words.every((word) => contains(text, word)), start))
      .slice(0, MAX_FOUND);
  const found = find((text, word) => text.includes(word));
  return found.length > 0 ? found : find(resembles);
}
