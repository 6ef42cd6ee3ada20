import type { AdoptItem, Orphan } from '../../core/index.ts';
import { ageOf, formatAge, formatStamp } from '../../core/text/time.ts';
import { formatBytes, formatCount } from '../../core/text/units.ts';
import { baseName, fit } from '../text/text.ts';
import type { DrawContext, Line, Symbols } from './types.ts';

function day(time: string | null): string {
  return formatStamp(time).slice(0, 10);
}

/** An item of an adoption plan; the reason on a second line if it is not adopted. */
export function adoptLines(item: AdoptItem, symbols: Symbols): Line[] {
  const adopted = item.action === 'adopt';
  const rows = item.rows === null ? 'rows ?' : `${formatCount(item.rows)} rows`;
  const name = item.fractal?.name ?? item.fractal?.id ?? 'no fractal';
  const days = item.first === null ? '' : `${day(item.first)} to ${day(item.last)}  `;
  const line = [
    { text: adopted ? `${symbols.ok} ` : `${symbols.bad} `, tone: adopted ? 'good' : 'bad' } as const,
    { text: fit(name, 14, 'left', symbols.ellipsis) },
    { text: `${formatBytes(item.size_bytes).padStart(10)} ${rows.padStart(11)}  ${days}` },
    { text: baseName(item.path), tone: 'dim' } as const,
  ];
  return adopted ? [line] : [line, [{ text: `  not adopted: ${item.reason}`, tone: 'warn' }]];
}

/** An item of a clean-up: action, size, age, owner and name. */
export function orphanLine(orphan: Orphan, { now, symbols }: DrawContext): Line {
  const action = orphan.actions.includes('discard') ? 'remove' : 'mark failed';
  const age = ageOf(orphan.since, now);
  return [
    { text: fit(action, 12, 'left', symbols.ellipsis), tone: action === 'remove' ? 'bad' : 'warn' },
    {
      text: `${formatBytes(orphan.size_bytes).padStart(10)} ${(age === undefined ? '-' : formatAge(age)).padStart(5)}  `,
    },
    { text: `${orphan.fractal_name ?? orphan.place}  ` },
    { text: baseName(orphan.path), tone: 'dim' },
  ];
}
