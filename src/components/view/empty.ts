import type { ErrorReport } from '../../core/index.ts';
import type { Line } from '../text/line.ts';
import { wrap } from '../text/text.ts';
import { listAt } from './lists/index.ts';
import { listStateAt } from './snapshot.ts';
import type { Screen, ScreenName, Snapshot } from './types.ts';

const EMPTY: Readonly<Partial<Record<ScreenName, string>>> = {
  fractals: 'No fractals yet. Create one in the Bifract web interface, then press r to reload.',
  'fractal-archives': 'This fractal has never been archived. Press a to archive it now.',
  group: 'This group contains no archives. Press Esc to go back, then D to delete it.',
  archives: 'No archives yet. Press 2, move to a fractal, and press a.',
  backups: 'No backups yet. Press b to create the first one.',
  jobs: 'No jobs yet. Press b to start a backup, or 2 to choose a fractal to archive.',
  log: 'No messages yet.',
  orphans:
    'No orphans: every archive file has its record, every record has its file, and there are no unfinished files.',
};

const READ_ONLY: Readonly<Partial<Record<ScreenName, string>>> = {
  'fractal-archives': 'This fractal has never been archived.',
  archives: 'No archives yet.',
  backups: 'No backups yet.',
  jobs: 'No jobs yet. A read-only console cannot start any.',
};

function failure({ message, hint }: ErrorReport, columns: number): Line[] {
  return [
    [],
    ...wrap(message, columns - 4).map((text): Line => [{ text: `  ${text}`, tone: 'bad', bold: true }]),
    ...(hint ? wrap(hint, columns - 4).map((text): Line => [{ text: `  ${text}` }]) : []),
    [],
    [{ text: '  Press r to try again.', tone: 'dim' }],
  ];
}

/** Shown instead of a table's rows: why there are none, and what to press. */
export function emptyLines(snapshot: Snapshot, screen: Screen): readonly Line[] {
  const { columns, data, symbols, read_only } = snapshot;
  const needs = listAt(screen)?.needs;
  const loaded = needs && data[needs];
  const { filter } = listStateAt(snapshot, screen);
  const message = (text: string): Line[] => [
    [],
    ...wrap(text, columns - 4).map((line): Line => [{ text: `  ${line}`, tone: 'dim' }]),
  ];
  if (loaded?.value === undefined && loaded?.error) return failure(loaded.error, columns);
  if (loaded && loaded.value === undefined) return message(`Loading${symbols.ellipsis}`);
  if (filter !== '')
    return message(`No ${listAt(screen)?.noun ?? 'row'} matches “${filter}”. Press Esc to clear the filter.`);
  return message((read_only ? READ_ONLY[screen.name] : undefined) ?? EMPTY[screen.name] ?? '');
}
