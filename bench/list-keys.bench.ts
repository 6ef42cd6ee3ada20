import { FakeEngine, fakeArchive, fakeFractal } from '../test/helpers/fake-engine.ts';
import type { FakeTerminal } from '../test/helpers/terminal.ts';
import type { Bench } from './run.ts';

const ARCHIVES = 20_000;
const FRACTALS = 200;
const ROUNDS = 5;
const SETTLE_MS = 400;

/** Keys by what they do; each is pressed on the list that the keys before it have left. */
const KEYS: readonly (readonly [what: string, keys: readonly string[]])[] = [
  ['open the list', ['3']],
  ['move', ['j', 'j', 'j', 'k']],
  ['page down, end', ['pgdn', 'G']],
  ['filter, one character at a time', ['/', 'f', 'r', 'a', 'c', '-', '1', '7']],
  ['apply and clear the filter', ['enter', 'esc']],
  ['filter by a fuzzy word', ['/', 'f', 'c', 't', 'l', 'esc']],
  ['sort by the next column, reverse', ['s', 'enter', 'S']],
  ['select all, invert', ['ctrl-a', 'j', 'i', 'i', 'esc']],
];

export const bench: Bench = {
  title: `CPU time for which a key blocks the console in a list of ${ARCHIVES} archives (${ROUNDS} rounds)`,
  async run() {
    const times = KEYS.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) await measure(times);
    return KEYS.map(([what], index) => {
      const sorted = times[index]?.toSorted((a, b) => a - b) ?? [];
      const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(0);
      return { key: what, 'median ms': at(0.5), 'worst ms': at(1) };
    });
  },
};

function engine(): FakeEngine {
  const fractals = Array.from({ length: FRACTALS }, (_, index) => fakeFractal(index + 1));
  const archives = Array.from({ length: ARCHIVES }, (_, index) => {
    const fractal = fractals[(index * 7) % FRACTALS] ?? fakeFractal(1);
    const created_at = new Date(Date.now() - index * 3_600_000).toISOString();
    return fakeArchive(index, fractal, { created_at });
  });
  return new FakeEngine({ fractals, archives });
}

async function measure(times: number[][]): Promise<void> {
  // React's tools for development would be measured instead.
  process.env.NODE_ENV = 'production';
  const { startConsole } = await import('../test/helpers/console.ts');
  await using console = startConsole({ engine: engine(), columns: 120, rows: 40 });
  const { terminal } = console;
  await terminal.waitFor(`${(ARCHIVES).toLocaleString('en')}`.slice(0, 2));
  for (const [index, [, keys]] of KEYS.entries()) {
    for (const key of keys) times[index]?.push(await longestStall(terminal, key));
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Longest CPU time between two turns of the event loop after a key; wall time would depend on the load. */
async function longestStall(terminal: FakeTerminal, key: string): Promise<number> {
  const started = performance.now();
  let [last, longest] = [cpuMs(), 0];
  const pressed = terminal.press(key);
  while (performance.now() - started < SETTLE_MS) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await pressed;
  return longest;
}
