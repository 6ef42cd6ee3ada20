import type { Line, Span } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { Lines } from './line.tsx';

export interface PaneProps {
  lines: readonly Line[];
  /** Without the rule at its left, which takes one more. */
  columns: number;
  height: number;
  symbols: Symbols;
}

/** Text next to a list, behind a rule. */
export function Pane({ lines, columns, height, symbols }: PaneProps) {
  const rule: Span = { text: symbols.box.v, tone: 'dim' };
  const count = Math.max(height, lines.length);
  const ruled = Array.from({ length: count }, (_, index): Line => [rule, ...(lines[index] ?? [])]);
  return <Lines lines={ruled} columns={columns + 1} height={height} symbols={symbols} />;
}
