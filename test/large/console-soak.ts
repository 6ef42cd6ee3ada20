// An hour of the console as fast as it can: node --expose-gc --import tsx test/large/console-soak.ts [MINUTES]
// As many frames, events, reloads and jobs as in an hour with two jobs running. Memory must stay flat.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { formatBytes } from '../../src/core/text/units.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';

const MINUTES = Number(process.argv[2] ?? 60);
const FRAMES_PER_MINUTE = 60 * 12;
const RELOADS_PER_MINUTE = 4;
const ARCHIVES = 10_000;
/** Caches are full after this. */
const WARM_UP = Math.ceil(MINUTES / 6);
const ALLOWED_BYTES = 16 * 2 ** 20;
/** Each moves and returns, or goes to another screen. */
const KEYS = ['j', 'k', '5', 'j', 'k', '3', 'pgdn', 'g', '2', 'G', 'g', '1', '?', 'esc', '3'];

const collect = globalThis.gc;
assert.ok(collect, 'node needs --expose-gc');
const fractals = [1, 2, 3].map((seed) => fakeFractal(seed));
const [first] = fractals;
assert.ok(first);
const archives = Array.from({ length: ARCHIVES }, (_, index) => fakeArchive(index + 1, first));
const engine = new FakeEngine({ fractals, archives });
await using console = startConsole({ engine });
const { terminal } = console;
await terminal.press('3');
await terminal.waitFor('archives');
const sizes: number[] = [];
for (let minute = 0; minute < MINUTES; minute++) {
  for (const { id, name } of fractals.slice(0, 2))
    engine.start({ kind: 'archive', fractal_id: id, fractal_name: name });
  const running = engine.jobs.slice(-2);
  for (let frame = 0; frame < FRAMES_PER_MINUTE; frame++) {
    for (const job of running)
      job.emit('job:progress', {
        rows: frame * 1_000,
        total_rows: FRAMES_PER_MINUTE * 1_000,
        bytes_in: frame,
      });
    if (frame % (FRAMES_PER_MINUTE / RELOADS_PER_MINUTE) === 0) await terminal.press('r');
    await terminal.press(KEYS[frame % KEYS.length] ?? 'j');
  }
  for (const job of running) job.done({ log_count: 1, size_bytes: 1 });
  // What a test keeps is not what the program keeps.
  engine.jobs.length = 0;
  terminal.written = '';
  await turn();
  collect();
  sizes.push(process.memoryUsage().heapUsed);
  if (minute % 5 === 4) process.stdout.write(`minute ${minute + 1}: ${formatBytes(sizes.at(-1) ?? 0)}\n`);
}
const warm = sizes.slice(WARM_UP);
const growth = (warm.at(-1) ?? 0) - (warm[0] ?? 0);
process.stdout.write(`growth after ${WARM_UP} minutes: ${formatBytes(Math.max(0, growth))}\n`);
assert.ok(growth < ALLOWED_BYTES, `memory grew by ${growth} bytes`);
