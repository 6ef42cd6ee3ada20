import type { Line as LineOfSpans } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { fitting, type Hint, hintParts } from '../view/hints.ts';
import { Line } from './line.tsx';

export interface FooterProps {
  hints: readonly Hint[];
  columns: number;
  symbols: Symbols;
}

/** Keys and their actions, as many as fit. */
export function Footer({ hints, columns, symbols }: FooterProps) {
  const spans: LineOfSpans = fitting(hints, columns).flatMap((hint) => {
    const [key, label] = hintParts(hint);
    return [
      { text: key, tone: 'info', bold: true },
      { text: label, tone: 'dim' },
    ] as const;
  });
  return <Line spans={spans} columns={columns} symbols={symbols} />;
}
