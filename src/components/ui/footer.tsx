import { width } from '../../core/text/sanitize.ts';
import type { Line as LineOfSpans } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { Line } from './line.tsx';

export interface Hint {
  key: string;
  label: string;
  /** Kept if not all hints fit. */
  required?: boolean;
}

function textOf({ key, label }: Hint): [key: string, label: string] {
  return [` ${key}`, ` ${label} `];
}

/** The hints that fit completely, in their order; required ones are fitted first. */
function fitting(hints: readonly Hint[], columns: number): Hint[] {
  const kept = new Set<Hint>();
  let left = columns;
  for (const hint of hints.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false))) {
    const size = width(textOf(hint).join(''));
    if (size > left) continue;
    kept.add(hint);
    left -= size;
  }
  return hints.filter((hint) => kept.has(hint));
}

export interface FooterProps {
  hints: readonly Hint[];
  columns: number;
  symbols: Symbols;
}

/** Keys and their actions, as many as fit. */
export function Footer({ hints, columns, symbols }: FooterProps) {
  const spans: LineOfSpans = fitting(hints, columns).flatMap((hint) => {
    const [key, label] = textOf(hint);
    return [
      { text: key, tone: 'info', bold: true },
      { text: label, tone: 'dim' },
    ] as const;
  });
  return <Line spans={spans} columns={columns} symbols={symbols} />;
}

const LABELS: Readonly<Record<string, string>> = {
  ' ': 'Space',
  enter: 'Enter',
  esc: 'Esc',
  pgup: 'PgUp',
  pgdn: 'PgDn',
  home: 'Home',
  end: 'End',
  tab: 'Tab',
  backspace: 'Bksp',
};

/** A key's name as printed on a keyboard. */
export function keyLabel(key: string, arrows: { up: string; down: string }): string {
  if (key === 'up' || key === 'down') return arrows[key];
  if (key === 'left' || key === 'right') return key === 'left' ? 'Left' : 'Right';
  if (key.startsWith('ctrl-')) return `^${key.slice(5).toUpperCase()}`;
  return LABELS[key] ?? key;
}
