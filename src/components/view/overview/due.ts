import { type ArchiveGroup, type ArchiveRecord, dueOf, type Fractal } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { plural } from '../../../core/text/units.ts';
import { memo } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';
import { labeled, marked, missing, type OverviewLine } from './line.ts';

const MINUTE = 60_000;
const NO_GROUPS: readonly ArchiveGroup[] = [];

/** What the schedules require, of all fractals. */
const schedules = memo(
  (
    fractals: readonly Fractal[],
    archives: readonly ArchiveRecord[],
    groups: readonly ArchiveGroup[],
    minute: number,
  ) => {
    const due = dueOf(fractals, { archives, groups }, new Date(minute * MINUTE));
    return {
      now: due.filter((one) => one.due),
      waiting: due.filter((one) => !one.due && one.reason === 'waiting'),
      next: due.flatMap((one) => (one.due || one.next === null ? [] : [one.next])).sort()[0],
      scheduled: due.length,
    };
  },
);

/** Which fractals are due for an archive, and which failed. */
export function dueLine(snapshot: Snapshot): OverviewLine {
  const { data, now, symbols } = snapshot;
  const target = { name: 'fractals' } as const;
  const none = missing(data.fractals) ?? missing(data.archives);
  if (none) return labeled('due', 'Schedules', target, none);
  const { value: fractals = [] } = data.fractals;
  const { value: archives = [] } = data.archives;
  const { value: groups = NO_GROUPS } = data.groups;
  const due = schedules(fractals, archives, groups, Math.ceil(now / MINUTE));
  if (due.waiting.length > 0) {
    const text = `Archiving failed: ${namesOf(due.waiting)} tried again at ${formatStamp(due.next ?? null)}`;
    return labeled('due', 'Schedules', target, ...marked(symbols.bad, 'bad', text));
  }
  if (due.now.length > 0) {
    const text = `${namesOf(due.now)} due for an archive`;
    return labeled('due', 'Schedules', target, ...marked(symbols.warn, 'warn', text));
  }
  const text =
    due.scheduled === 0
      ? 'no fractal has a schedule'
      : `nothing due${due.next ? `; next at ${formatStamp(due.next)}` : ''}`;
  return labeled('due', 'Schedules', target, ...marked(symbols.ok, 'good', text));
}

function namesOf(fractals: readonly { fractal_name: string }[]): string {
  const [first] = fractals;
  if (fractals.length === 1 && first) return `${first.fractal_name} is`;
  return `${plural(fractals.length, 'fractal')} are`;
}
