import { listAt, listStateAt } from './lists/index.ts';
import { wrap } from './text.ts';
import type { Line, Place, PlaceName, Snapshot } from './types.ts';

const PRESS: Readonly<Partial<Record<PlaceName, string>>> = {
  fractals: 'This installation has no fractals yet: they are made on Bifract’s own page. r looks again.',
  'fractal-archives': 'This fractal has never been archived. Press a to archive it now.',
  group: 'This group holds no archive. Esc goes back; D deletes it there.',
  archives: 'Nothing has been archived yet. Press 2, choose a fractal, and press a.',
  backups: 'There is no backup yet. Press b to make the first one.',
  jobs: 'Nothing has run in this session. Press b for a backup, or 2 to choose a fractal to archive.',
  log: 'Nothing has been said yet.',
  orphans:
    'Nothing is lost: every archive file has its record, every record its file, and no dead run has left anything.',
};

const READ_ONLY: Readonly<Partial<Record<PlaceName, string>>> = {
  'fractal-archives': 'This fractal has never been archived.',
  archives: 'Nothing has been archived yet.',
  backups: 'There is no backup yet.',
  jobs: 'Nothing runs from a read-only console.',
};

function failure({ message, hint }: { message: string; hint?: string }, columns: number): Line[] {
  return [
    [],
    ...wrap(message, columns - 4).map((text): Line => [{ text: `  ${text}`, tone: 'bad', bold: true }]),
    ...(hint ? wrap(hint, columns - 4).map((text): Line => [{ text: `  ${text}` }]) : []),
    [],
    [{ text: '  Press r to try again.', tone: 'dim' }],
  ];
}

/** What stands in place of a table's rows: why there are none, and what to press. */
export function emptyLines(snapshot: Snapshot, place: Place): readonly Line[] {
  const { columns, data, glyphs, read_only } = snapshot;
  const needs = listAt(place)?.needs;
  const loaded = needs && data[needs];
  const { filter } = listStateAt(snapshot, place);
  const say = (text: string): Line[] => [
    [],
    ...wrap(text, columns - 4).map((line): Line => [{ text: `  ${line}`, tone: 'dim' }]),
  ];
  if (loaded?.value === undefined && loaded?.error) return failure(loaded.error, columns);
  if (loaded && loaded.value === undefined) return say(`Loading${glyphs.more}`);
  if (filter !== '') return say(`No row holds “${filter}”. Esc clears the filter.`);
  return say((read_only ? READ_ONLY[place.name] : undefined) ?? PRESS[place.name] ?? '');
}
