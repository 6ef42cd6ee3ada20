import type { Glyphs, Line as LineOfSpans } from '../view/types.ts';
import { Line } from './line.tsx';

export interface Hint {
  key: string;
  label: string;
  /** Shown, but cannot be done now. */
  disabled: boolean;
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
  const spans: LineOfSpans = hints.flatMap(({ key, label, disabled }) => [
    { text: ` ${key}`, tone: disabled ? 'dim' : 'info', bold: !disabled } as const,
    { text: ` ${label} `, tone: 'dim' } as const,
  ]);
  return <Line spans={spans} columns={columns} glyphs={glyphs} />;
}
