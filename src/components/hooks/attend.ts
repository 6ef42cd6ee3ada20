import type { Coverage, FileReport } from '../../core/index.ts';
import { rowAtCursor, rowsPlace, rowsView } from '../view/browse.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { placeOf } from '../view/lists/index.ts';
import type { PlaceName, Snapshot } from '../view/types.ts';
import type { Answers } from './answers.ts';
import type { Browsing } from './browsing.ts';
import type { Data } from './data.ts';

interface Attendants {
  data: Data;
  reports: Answers<FileReport>;
  coverage: Answers<Coverage>;
  browsing: Browsing;
}

const REPORTED: ReadonlySet<PlaceName> = new Set(['archive', 'backup', 'orphan', 'wizard']);

/** The file whose report the user is looking at. */
function reportTarget(snapshot: Snapshot): string | undefined {
  const { name, subject } = placeOf(snapshot);
  if (subject === undefined || !REPORTED.has(name)) return undefined;
  const orphan = snapshot.data.orphans.value?.find(({ id }) => id === subject);
  if (groupOf(snapshot, subject)) return undefined;
  if (name === 'orphan' || orphan) return orphan?.kind === 'file' ? subject : undefined;
  const record = snapshot.data.archives.value?.find(({ id }) => id === subject);
  // While it is being written there is nothing to be read.
  return record?.status === 'in_progress' ? undefined : subject;
}

function readRows(snapshot: Snapshot, browsing: Browsing): void {
  const view = rowsView(snapshot);
  if (!view || !snapshot.browse) return;
  const { top, height, count, index } = view;
  const to = top + height;
  // Where the end was not seen yet, there may be more than is known.
  const limit = snapshot.browse.complete ? count : Number.POSITIVE_INFINITY;
  browsing.want([top, Math.min(to, limit)], [to, Math.min(to + height, limit)]);
  browsing.detail(placeOf(snapshot).name === 'row' && index < limit ? rowAtCursor(snapshot) : undefined);
}

/**
 * Sees to it that what is on the screen gets read. To be called after every change; does nothing where all is there.
 */
export function createAttendance(
  now: () => Snapshot,
  { data, reports, coverage, browsing }: Attendants,
): () => void {
  let last: PlaceName | undefined;
  let attending = false;
  let again = false;

  function attend(snapshot: Snapshot): void {
    const { name } = placeOf(snapshot);
    const arrived = name !== last;
    last = name;
    browsing.look(rowsPlace(snapshot)?.subject);
    readRows(now(), browsing);
    reports.want(reportTarget(snapshot));
    const covered = name === 'coverage' ? placeOf(snapshot).subject : undefined;
    coverage.want(covered);
    // Counts are old at once: those of the last visit are shown until there are new ones.
    if (arrived && covered !== undefined) coverage.renew();
    data.show(name === 'orphans' || name === 'orphan' ? ['orphans'] : []);
    if (arrived && name === 'orphans') data.refresh('orphans');
  }

  return () => {
    again = true;
    // What is asked for here makes changes of its own.
    if (attending) return;
    attending = true;
    while (again) {
      again = false;
      attend(now());
    }
    attending = false;
  };
}
