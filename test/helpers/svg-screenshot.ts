import type { IBufferCell, Terminal } from '@xterm/headless';
import { width } from '../../src/core/text/sanitize.ts';

const CELL = { width: 8.4, height: 18 };
const FONT = "14px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const TITLE = 'The console: fractals of an installation while one of them is archived';
const GROUND = '#16181d';
const TEXT = '#c8ccd4';
/** The 16 ANSI colors of a dark theme. */
const ANSI = [
  '#3b4048',
  '#e06c75',
  '#98c379',
  '#d5b06b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#abb2bf',
  '#6b7280',
  '#ef7f88',
  '#a9d48a',
  '#e5c07b',
  '#74bdf7',
  '#d48bea',
  '#68c7d3',
  '#e6e9ef',
];

interface Run {
  column: number;
  cells: number;
  text: string;
  color: string;
  ground: string;
  bold: boolean;
  dim: boolean;
}

/** The screen of a terminal as SVG: real text, one run per span of the same style. */
export function pictureOf(terminal: Terminal): string {
  const { cols, rows } = terminal;
  const [across, height] = [cols * CELL.width + 24, rows * CELL.height + 24];
  const lines = Array.from({ length: rows }, (_, row) => lineOf(terminal, row)).flatMap((runs, row) =>
    runs.map((run) => drawRun(run, row)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${across.toFixed(0)} ${height}" width="${across.toFixed(0)}" height="${height}" role="img" aria-label="${TITLE}">`,
    `<title>${TITLE}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${GROUND}"/>`,
    `<g style="font:${FONT};white-space:pre" transform="translate(12,12)">`,
    ...lines,
    '</g></svg>',
    '',
  ].join('\n');
}

function lineOf(terminal: Terminal, row: number): Run[] {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row);
  const runs: Run[] = [];
  for (let column = 0; column < terminal.cols; column++) {
    const cell = line?.getCell(column);
    if (!cell || cell.getWidth() === 0) continue;
    const next = runOf(cell, column);
    const last = runs.at(-1);
    if (last && sameStyle(last, next) && last.column + last.cells === column) {
      last.text += next.text;
      last.cells += next.cells;
    } else runs.push(next);
  }
  return runs.filter(({ text, ground }) => text.trim() !== '' || ground !== GROUND);
}

function runOf(cell: IBufferCell, column: number): Run {
  const [fore, back] = [colorOf(cell, 'fg') ?? TEXT, colorOf(cell, 'bg') ?? GROUND];
  const inverse = cell.isInverse() !== 0;
  return {
    column,
    cells: cell.getWidth(),
    text: cell.getChars() || ' ',
    color: inverse ? back : fore,
    ground: inverse ? fore : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

function colorOf(cell: IBufferCell, side: 'fg' | 'bg'): string | undefined {
  const value = side === 'fg' ? cell.getFgColor() : cell.getBgColor();
  if (side === 'fg' ? cell.isFgDefault() : cell.isBgDefault()) return undefined;
  if (side === 'fg' ? cell.isFgRGB() : cell.isBgRGB()) return `#${value.toString(16).padStart(6, '0')}`;
  return ANSI[value] ?? cube(value);
}

function cube(value: number): string {
  if (value >= 232) return `rgb(${Array(3).fill(8 + (value - 232) * 10)})`;
  const step = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  const index = value - 16;
  return `rgb(${step(Math.floor(index / 36))},${step(Math.floor(index / 6) % 6)},${step(index % 6)})`;
}

function sameStyle(one: Run, other: Run): boolean {
  return (
    one.color === other.color &&
    one.ground === other.ground &&
    one.bold === other.bold &&
    one.dim === other.dim
  );
}

function drawRun(run: Run, row: number): string {
  const [x, y] = [run.column * CELL.width, row * CELL.height];
  const size = run.cells * CELL.width;
  const ground =
    run.ground === GROUND
      ? ''
      : `<rect x="${x.toFixed(1)}" y="${y}" width="${size.toFixed(1)}" height="${CELL.height}" fill="${run.ground}"/>`;
  const style = `${run.bold ? ' font-weight="bold"' : ''}${run.dim ? ' opacity="0.6"' : ''}`;
  const attributes = `y="${y + 13.5}" fill="${run.color}"${style}`;
  return ground + textElements(run, attributes);
}

/** One element per text between multiple spaces, because not every viewer preserves those. */
function textElements({ text, column }: Run, attributes: string): string {
  return [...text.matchAll(/\S+(?: \S+)*/g)]
    .map(([word], index, all) => {
      const cells = width(text.slice(0, all[index]?.index ?? 0));
      const x = ((column + cells) * CELL.width).toFixed(1);
      const length = (width(word) * CELL.width).toFixed(1);
      return `<text x="${x}" textLength="${length}" ${attributes}>${escaped(word)}</text>`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
