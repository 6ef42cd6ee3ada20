import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenConsole, startConsole } from '../helpers/console.ts';
import { busyEngine, type FakeEngine, type FakeJob } from '../helpers/fake-engine.ts';
import { fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';
import { createRandom, randomBytes, randomKeys } from '../helpers/random-input.ts';

/** Inputs of each run, and the seed: `RANDOM_INPUTS=20000 RANDOM_SEED=7` for a longer one. */
const INPUTS = Number(process.env.RANDOM_INPUTS ?? 300);
const SEED = Number(process.env.RANDOM_SEED ?? 1);
const GAPS_MS = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 60, 130];
/** The keys that confirm. */
const CONFIRMING = new Set(['y'.charCodeAt(0), 0x19]);
/** Jobs that only read. */
const READING = new Set(['verify']);

/** An engine with a full catalog, whose jobs go on until they are cancelled. */
function fullEngine(): FakeEngine {
  const engine = busyEngine({ storage: 's3://backups/bifract' });
  engine.detached = true;
  const items = engine.data.backups.slice(0, 2).map((backup) => fakeDeleteItem(backup));
  engine.data.deletion = fakeDeletePlan(items);
  const request = { kind: 'archive', fractal_id: 'f', fractal_name: 'web' } as const;
  for (const { id } of engine.data.archives) engine.interrupted.set(id, request);
  return engine;
}

/** Sends inputs to a console that is opened again whenever it was left. */
async function play(
  engine: FakeEngine,
  size: { columns: number; rows: number },
  inputs: () => Generator<{ bytes: Uint8Array; gap: number }>,
  after: (console: OpenConsole) => void,
): Promise<void> {
  const resume = () => void setImmediate(() => process.emit('SIGCONT', 'SIGCONT'));
  const open = () => startConsole({ engine, stop: resume, ...size });
  let console = open();
  let left = false;
  const watch = () => {
    left = false;
    void console.left.then(() => {
      left = true;
    });
  };
  watch();
  for (const { bytes, gap } of inputs()) {
    console.terminal.type(bytes);
    await new Promise((resolve) => (gap === 0 ? setImmediate(resolve) : setTimeout(resolve, gap)));
    await console.terminal.press();
    await console.terminal.settle();
    if (left) {
      assert.deepEqual(await console.left, {});
      await console[Symbol.asyncDispose]();
      console = open();
      watch();
    }
    after(console);
  }
  await console[Symbol.asyncDispose]();
}

function* inputs(make: (random: () => number) => Buffer, seed: number, without: ReadonlySet<number>) {
  const random = createRandom(seed);
  for (let count = 0; count < INPUTS; count++) {
    const bytes = make(random).filter((byte) => !without.has(byte));
    yield { bytes, gap: GAPS_MS[Math.floor(random() * GAPS_MS.length)] ?? 0 };
  }
}

const writing = ({ request }: FakeJob) => !READING.has(request.kind);

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const)
  for (const [what, make] of [
    ['keys', randomKeys],
    ['bytes', randomBytes],
  ] as const) {
    test(`random ${what} without y and Ctrl-Y start nothing that writes, at ${columns}x${rows}`, async () => {
      const engine = fullEngine();
      const screens = new Set<string>();
      await play(
        engine,
        { columns, rows },
        () => inputs(make, SEED, CONFIRMING),
        ({ terminal }) => {
          screens.add(terminal.lines()[2]?.trim().split(/ {2,}/)[0] ?? '');
          assert.deepEqual(engine.jobs.filter(writing), [], terminal.text());
          assert.ok(!engine.jobs.some((job) => job.cancelRequested), terminal.text());
        },
      );
      if (what === 'keys') assert.ok(screens.size > 5, `only ${[...screens]} were seen`);
    });
  }

test('random keys with y and Ctrl-Y start what writes only while a question is on the screen', async () => {
  const engine = fullEngine();
  let shown = '';
  let started = 0;
  engine.onStart = (job) => {
    if (!writing(job)) return;
    started += 1;
    assert.match(shown, /╭─ .*\?[\s\S]*╰─/, `${job.request.kind} started without a question`);
    setImmediate(() => job.done());
  };
  function* confirmed() {
    const random = createRandom(SEED + 1);
    for (const input of inputs(randomKeys, SEED, new Set())) {
      yield input;
      if (random() < 0.2) yield { bytes: Buffer.from('y'), gap: 0 };
    }
  }
  await play(engine, { columns: 120, rows: 40 }, confirmed, ({ terminal }) => {
    shown = terminal.text();
  });
  assert.ok(started > 0);
});
