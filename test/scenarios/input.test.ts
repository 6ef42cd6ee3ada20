import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startConsole } from '../helpers/console.ts';

/** Torn, late, with Alt or unknown: none of it was typed. */
const NOT_TYPED = [
  ['\x1b', 'b'],
  ['\x1bb'],
  ['\x1ba'],
  ['\x1bD'],
  ['\x1b[98;3u'],
  ['\x1b[27;3;98~'],
  ['\x1b', ']11;rgb:1e1e/1e1e/1e1e\x1b\\'],
  ['\x1b]11;rgb:1e1e/', '1e1e/1e1e', '\x1b', '\\'],
  ['\x1bP1$r', '0 q\x1b\\'],
  ['\x1b_Ga', 'bDR\x1b\\'],
  ['\x1b[24;80', 'R'],
  ['\x1b[MaD', 'b'],
  ['\x1b[', '1;2;3', 'R'],
  ['\x1bO', 'R'],
  ['\x9b', '5;3D'],
  ['\x1b[200~b\rD', 'R\x1b[20', '1~'],
];

for (const gap of [0, 15, 60])
  test(`what was not typed runs no command, in pieces every ${gap} ms`, async () => {
    await using console = startConsole();
    const { terminal, engine } = console;
    await terminal.press('4');
    await terminal.waitFor('6 backups');
    for (const pieces of NOT_TYPED) {
      for (const piece of pieces) {
        terminal.type(Buffer.from(piece, piece === '\x9b' ? 'latin1' : 'utf8'));
        await (gap === 0 ? new Promise((resolve) => setImmediate(resolve)) : wait(gap));
      }
      await terminal.settle();
      assert.match(terminal.text(), /6 backups/, JSON.stringify(pieces));
      assert.doesNotMatch(terminal.text(), /╭─/, JSON.stringify(pieces));
    }
    assert.equal(engine.jobs.length, 0);
    await terminal.press('2');
    await terminal.waitFor('10 fractals');
  });

test('arrow keys and page keys in pieces are what they are', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  const before = terminal.text();
  for (const key of ['\x1b[B', '\x1b[A', '\x1bOB', '\x1bOA', '\x1b[6~', '\x1b[5~'])
    for (const byte of key) {
      terminal.type(byte);
      await wait(30);
    }
  await terminal.waitFor((lines) => lines.join('\n') === before);
  assert.match(before, /10 fractals/);
});

test('a paste without its end, or of 1 MB, does not take the keyboard away', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await terminal.press('/');
  terminal.type('\x1b[200~web');
  await terminal.waitFor('/web_');
  await terminal.press('esc');
  terminal.type(`\x1b[200~${'D\r'.repeat(500_000)}\x1b[201~`);
  await terminal.waitFor('Paste ignored');
  await terminal.press('/');
  terminal.type(`\x1b[200~prod${'='.repeat(1_000_000)}\x1b[201~`);
  await terminal.waitFor(/\/prod=+/);
  await terminal.press('esc', '3');
  await terminal.waitFor('17 archives');
  assert.equal(engine.jobs.length, 0);
});
