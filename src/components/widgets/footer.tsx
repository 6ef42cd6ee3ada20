import { width } from '../view/sanitize.ts';
import type { Glyphs, Line as LineOfSpans } from '../view/types.ts';
import { Line } from './line.tsx';

export interface Hint {
  key: string;
  label: string;
  /** Shown before others where not all fit. */
  first?: boolean;
}

function textOf({ key, label }: Hint): [key: string, label: string] {
  return [` ${key}`, ` ${label} `];
}

/** Half a hint is none: those that fit whole, in their order. */
function fitting(hints: readonly Hint[], columns: number): Hint[] {
  const kept = new Set<Hint>();
  let left = columns;
  for (const hint of hints.toSorted((a, b) => Number(b.first ?? false) - Number(a.first ?? false))) {
    const size = width(textOf(hint).join(''));
    if (size > left) continue;
    kept.add(hint);
    left -= size;
  }
  return hints.filter((hint) => kept.has(hint));
}

/** What can be done here, as far as it fits. */
export function Footer({
  hints,
  columns,
  glyphs,
}: {
  hints: readonly Hint[];
  columns: number;
  glyphs: Glyphs;
}) {
  const spans: LineOfSpans = fitting(hints, columns).flatMap((hint) => {
    const [key, label] = textOf(hint);
    return [
      { text: key, tone: 'info', bold: true },
      { text: label, tone: 'dim' },
    ] as const;
  });
  return <Line spans={spans} columns={columns} glyphs={glyphs} />;
}
