import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { createScreen } from '../../src/components/screen.ts';
import { width } from '../../src/core/text/sanitize.ts';

const COLUMNS = 20;
const ROWS = 4;

/** A terminal, and a screen on it if `direct` is false. */
function createTerminal(direct = false) {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  let bytes = 0;
  const output = new Writable({
    decodeStrings: false,
    write(data: string, _encoding, done) {
      bytes += Buffer.byteLength(data);
      terminal.write(data, done);
    },
  });
  const stdout = Object.assign(output, {
    columns: COLUMNS,
    rows: ROWS,
    isTTY: true,
  }) as unknown as NodeJS.WriteStream;
  const stream = direct ? stdout : createScreen(stdout);
  const settled = () => new Promise<void>((resolve) => terminal.write('', resolve));
  /** Characters and styles of every cell. */
  async function cells(): Promise<string[]> {
    await settled();
    return Array.from({ length: COLUMNS * ROWS }, (_, at) => {
      const cell = terminal.buffer.active.getLine(Math.floor(at / COLUMNS))?.getCell(at % COLUMNS);
      const styles = [
        cell?.getFgColor(),
        cell?.getBgColor(),
        cell?.isBold(),
        cell?.isInverse(),
        cell?.isDim(),
      ];
      return `${cell?.getChars() || ' '}/${cell?.getWidth()}/${styles.join()}`;
    });
  }
  const written = async () => {
    await settled();
    return bytes;
  };
  return { stream, stdout, cells, written };
}

/** What Ink writes before a frame of some lines. */
const erase = `${'\x1b[2K\x1b[1A'.repeat(ROWS - 1)}\x1b[2K\x1b[G`;

const style = fc.constantFrom(
  ['', ''],
  ['\x1b[1m', '\x1b[22m'],
  ['\x1b[2m', '\x1b[22m'],
  ['\x1b[36m', '\x1b[39m'],
  ['\x1b[38;5;200m', '\x1b[39m'],
  ['\x1b[48;2;1;2;3m', '\x1b[49m'],
  ['\x1b[7m\x1b[91m', '\x1b[39m\x1b[27m'],
  ['\x1b[1;32;44m', '\x1b[0m'],
);
const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ' ', '日', 'é', '█', '🔒'), maxLength: 8 });
const line = fc.array(fc.tuple(style, text), { maxLength: 4 }).map((spans) => {
  let used = 0;
  return spans
    .map(([[start, end], part]) => {
      const fitting = Array.from(part).filter((one) => {
        const fits = used + width(one) <= COLUMNS;
        if (fits) used += width(one);
        return fits;
      });
      return `${start}${fitting.join('')}${end}`;
    })
    .join('');
});
const frame = fc
  .array(line, { minLength: 1, maxLength: ROWS })
  .map((lines) => lines.join('\n'))
  .filter((one) => one !== '');

test('property: after any frames, the terminal shows the last one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
      const drawn = createTerminal();
      for (const [index, one] of frames.entries()) {
        const before = index === 0 ? '' : erase;
        for (const part of ['\x1b[?2026h', `${before}${one}`, '\x1b[?2026l']) drawn.stream.write(part);
        const expected = createTerminal(true);
        expected.stream.write(one.replaceAll('\n', '\r\n'));
        assert.deepEqual(await drawn.cells(), await expected.cells());
      }
    }),
    { numRuns: 100 },
  );
});

test('only what changed is written', async () => {
  const { stream, written } = createTerminal();
  stream.write('one 1 two\nthree\nfour\n');
  const before = await written();
  stream.write(`${erase}one 2 two\nthree\nfour\n`);
  assert.ok((await written()) - before < 30);
  const changed = await written();
  stream.write(`${erase}one 2 two\nthree\nfour\n`);
  assert.equal(await written(), changed, 'the same frame again');
});

test('everything is drawn again after a change of size, and after anything else was written', async () => {
  const { stream, stdout, written } = createTerminal();
  const lines = 'one\ntwo\n';
  stream.write(lines);
  const first = await written();
  stdout.columns -= 1;
  stream.write(erase + lines);
  assert.equal(await written(), 2 * first);
  stream.write('\x1b[?1049h');
  const before = await written();
  stream.write(lines);
  assert.equal((await written()) - before, first);
});
