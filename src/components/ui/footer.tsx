import { width } from '../../core/text/sanitize.ts';
import type { Line as LineOfSpans, Symbols } from '../view/types.ts';
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
