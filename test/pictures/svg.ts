import type { IBufferCell, Terminal } from '@xterm/headless';
import { width } from '../../src/core/text/sanitize.ts';

const CELL = { width: 8.4, height: 18 };
const FONT = "14px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
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

/** What a screen shows: the drawn lines, top down. */
export interface Frame {
  columns: number;
  lines: readonly string[];
}

/** The screen of a terminal now. */
export function frameOf(terminal: Terminal): Frame {
  const lines = Array.from({ length: terminal.rows }, (_, row) =>
    lineOf(terminal, row)
      .map((run) => drawRun(run, row))
      .join(''),
  );
  return { columns: terminal.cols, lines };
}

/** A frame as SVG: real text, one run per span of the same style. */
export function pictureOf({ columns, lines }: Frame, title: string): string {
  return documentOf({ columns, rows: lines.length, title, style: '' }, lines);
}

/**
 * Frames that follow each other, `interval_ms` apart, as SVG that starts again at the end. A line that several frames
 * share is drawn once. Viewers without animation show the first frame.
 */
export function movieOf(frames: readonly Frame[], interval_ms: number, title: string): string {
  const [first] = frames;
  if (!first) throw new Error('A movie needs a frame');
  const seconds = (frames.length * interval_ms) / 1000;
  const rules: string[] = [];
  const drawn = first.lines.flatMap((_, row) => {
    const contents = new Set(frames.map(({ lines }) => lines[row] ?? ''));
    return [...contents].filter(Boolean).map((content) => {
      const shown = frames.map(({ lines }) => lines[row] === content);
      if (shown.every(Boolean)) return content;
      const name = `f${rules.length / 2}`;
      rules.push(`@keyframes ${name}{${keyframes(shown)}}`);
      rules.push(`.${name}{animation:${name} ${seconds}s step-end infinite}`);
      return `<g class="${name}" visibility="${shown[0] ? 'visible' : 'hidden'}">${content}</g>`;
    });
  });
  const still = '@media (prefers-reduced-motion:reduce){g[class]{animation:none}}';
  const style = `<style>${rules.join('')}${still}</style>`;
  return documentOf({ columns: first.columns, rows: first.lines.length, title, style }, drawn);
}

/** Where the visibility changes, in percent of the time. */
function keyframes(shown: readonly boolean[]): string {
  return shown
    .flatMap((visible, index) => {
      if (index > 0 && visible === shown[index - 1]) return [];
      const at = Math.round((index / shown.length) * 1e4) / 100;
      return [`${at}%{visibility:${visible ? 'visible' : 'hidden'}}`];
    })
    .join('');
}

function documentOf(
  { columns, rows, title, style }: { columns: number; rows: number; title: string; style: string },
  content: readonly string[],
): string {
  const [across, height] = [(columns * CELL.width + 24).toFixed(0), rows * CELL.height + 24];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${across} ${height}" width="${across}" height="${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>${style}`,
    `<rect width="100%" height="100%" rx="8" fill="${GROUND}"/>`,
    `<g style="font:${FONT};white-space:pre" transform="translate(12,12)">`,
    ...content.filter(Boolean),
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
      return `<text x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs" ${attributes}>${escaped(word)}</text>`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
