import type { Glyphs, Line as LineOfSpans } from '../view/types.ts';
import { Line } from './line.tsx';

export interface Hint {
  key: string;
  label: string;
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
  const spans: LineOfSpans = hints.flatMap(({ key, label }) => [
    { text: ` ${key}`, tone: 'info', bold: true } as const,
    { text: ` ${label} `, tone: 'dim' } as const,
  ]);
  return <Line spans={spans} columns={columns} glyphs={glyphs} />;
}
