import { scrollTop } from '../text/layout.ts';
import type { Symbols } from '../text/symbols.ts';
import { Frame } from './dialog.tsx';

export interface PaletteItem {
  name: string;
  description: string;
  key: string;
  disabled: string | undefined;
}

export interface PaletteProps {
  query: string;
  items: readonly PaletteItem[];
  index: number;
  columns: number;
  height: number;
  symbols: Symbols;
}

const WIDE = 64;
const ROWS = 10;
const NAME = 19;

/** The command palette. */
export function Palette({ query, items, index, columns, height, symbols }: PaletteProps) {
  const rows = Math.max(1, Math.min(ROWS, height - 4));
  const top = scrollTop(0, index, rows, items.length);
  const found = items.slice(top, top + rows).map((item, at) => ({
    spans: [
      { text: top + at === index ? symbols.cursor : ' ' },
      { text: item.name.padEnd(NAME), bold: true },
      { text: `${item.key.padEnd(6)} `, tone: 'info' } as const,
      {
        text: item.disabled ? `not now: ${item.disabled}` : item.description,
        tone: item.disabled ? 'warn' : 'dim',
      } as const,
    ],
    highlighted: top + at === index,
  }));
  const none = { spans: [{ text: ' No matching command.', tone: 'dim' } as const] };
  const prompt = {
    spans: [
      { text: ':', tone: 'info', bold: true } as const,
      { text: query },
      { text: '_', tone: 'dim' } as const,
    ],
  };
  const lines = [prompt, ...(found.length > 0 ? found : [none])];
  return (
    <Frame
      columns={columns}
      height={height}
      lines={lines}
      title="Commands"
      tone="info"
      symbols={symbols}
      maxWidth={WIDE}
    />
  );
}
