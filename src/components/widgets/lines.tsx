import { Box } from 'ink';
import type { Glyphs, Line as LineOfSpans } from '../view/types.ts';
import { Line } from './line.tsx';

export interface LinesProps {
  lines: readonly LineOfSpans[];
  /** First line that is shown. */
  top?: number;
  columns: number;
  height: number;
  glyphs: Glyphs;
}

/** A window of `height` lines, filled up with empty ones. */
export function Lines({ lines, top = 0, columns, height, glyphs }: LinesProps) {
  const first = Math.max(0, Math.min(top, lines.length - height));
  return (
    <Box flexDirection="column" height={height} width={columns}>
      {Array.from({ length: height }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <Line key={index} spans={lines[first + index] ?? []} columns={columns} glyphs={glyphs} />
      ))}
    </Box>
  );
}
