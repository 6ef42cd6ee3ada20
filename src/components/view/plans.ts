import type { AdoptItem, Orphan } from '../../core/index.ts';
import { fit } from './text.ts';
import { ageOf, formatAge, formatStamp } from './time.ts';
import type { Glyphs, Line, Snapshot } from './types.ts';
import { formatBytes, formatCount } from './units.ts';

function bareName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function day(time: string | null): string {
  return formatStamp(time).slice(0, 10);
}

/** A target of an adoption: what it is, and what will become of it. */
export function adoptLine(item: AdoptItem, glyphs: Glyphs): Line {
  const adopted = item.action === 'adopt';
  const rows = item.rows === null ? 'rows ?' : `${formatCount(item.rows)} rows`;
  const name = item.fractal?.name ?? item.fractal?.id ?? 'no fractal';
  return [
    { text: adopted ? `${glyphs.ok} ` : `${glyphs.bad} `, tone: adopted ? 'good' : 'bad' },
    { text: fit(name, 14, 'left', glyphs.more) },
    { text: `${formatBytes(item.size_bytes).padStart(10)} ${rows.padStart(11)}  ` },
    adopted
      ? { text: `${day(item.first)} to ${day(item.last)}  ` }
      : { text: `${item.reason}  `, tone: 'warn' },
    { text: bareName(item.path), tone: 'dim' },
  ];
}

/** A target of a clean-up: size, age, what it belongs to. */
export function orphanLine(orphan: Orphan, { now, glyphs }: Pick<Snapshot, 'now' | 'glyphs'>): Line {
  const deed = orphan.actions.includes('discard') ? 'remove' : 'mark failed';
  const age = ageOf(orphan.since, now);
  return [
    { text: fit(deed, 12, 'left', glyphs.more), tone: deed === 'remove' ? 'bad' : 'warn' },
    {
      text: `${formatBytes(orphan.size_bytes).padStart(10)} ${(age === undefined ? '-' : formatAge(age)).padStart(5)}  `,
    },
    { text: `${orphan.fractal_name ?? orphan.place}  ` },
    { text: bareName(orphan.path), tone: 'dim' },
  ];
}
