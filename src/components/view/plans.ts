import type { AdoptItem, Orphan } from '../../core/index.ts';
import { bareName, fit } from './text.ts';
import { ageOf, formatAge, formatStamp } from './time.ts';
import type { Glyphs, Line, Snapshot } from './types.ts';
import { formatBytes, formatCount } from './units.ts';

function day(time: string | null): string {
  return formatStamp(time).slice(0, 10);
}

/** A target of an adoption: what it is, and what will become of it; why not, on a line of its own. */
export function adoptLines(item: AdoptItem, glyphs: Glyphs): Line[] {
  const adopted = item.action === 'adopt';
  const rows = item.rows === null ? 'rows ?' : `${formatCount(item.rows)} rows`;
  const name = item.fractal?.name ?? item.fractal?.id ?? 'no fractal';
  const days = item.first === null ? '' : `${day(item.first)} to ${day(item.last)}  `;
  const line = [
    { text: adopted ? `${glyphs.ok} ` : `${glyphs.bad} `, tone: adopted ? 'good' : 'bad' } as const,
    { text: fit(name, 14, 'left', glyphs.more) },
    { text: `${formatBytes(item.size_bytes).padStart(10)} ${rows.padStart(11)}  ${days}` },
    { text: bareName(item.path), tone: 'dim' } as const,
  ];
  return adopted ? [line] : [line, [{ text: `  not adopted: ${item.reason}`, tone: 'warn' }]];
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
