import { bodyHeight } from '../../text/layout.ts';
import type { Line } from '../../text/line.ts';
import type { Screen, Snapshot } from '../types.ts';
import { healthPage } from './health.ts';
import { jobPage } from './job.ts';
import { archivePage, backupPage, entryPage, fractalPage, groupPage, orphanPage } from './records.ts';
import { rowPage } from './row.ts';
import { setupPage } from './setup.ts';

/** The lines of a screen that is not a list. */
export function pageAt(snapshot: Snapshot, { name, subject }: Screen): readonly Line[] {
  switch (name) {
    case 'health':
      return healthPage(snapshot);
    case 'archive':
      return archivePage(snapshot, subject);
    case 'group':
      return groupPage(snapshot, subject);
    case 'backup':
      return backupPage(snapshot, subject);
    case 'fractal':
      return fractalPage(snapshot, subject);
    case 'job':
      return jobPage(snapshot, subject);
    case 'entry':
      return entryPage(snapshot, subject);
    case 'orphan':
      return orphanPage(snapshot, subject);
    case 'row':
      return rowPage(snapshot);
    case 'setup':
      return setupPage(snapshot);
    default:
      return [];
  }
}

/** The last scroll position of a page. */
export function lastTop(lines: readonly Line[], snapshot: Snapshot): number {
  return Math.max(0, lines.length - bodyHeight(snapshot));
}
