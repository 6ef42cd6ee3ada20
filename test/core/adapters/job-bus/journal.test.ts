import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { OpenFolder } from '../../../../src/core/adapters/files/open-folder.ts';
import { JobHistory } from '../../../../src/core/adapters/job-bus/history.ts';
import {
  type Journal,
  JournalWriter,
  parseJournal,
  readJournal as readIn,
} from '../../../../src/core/adapters/job-bus/journal.ts';
import type { BifractError } from '../../../../src/core/contract/errors.ts';
import type { JobEvent } from '../../../../src/core/contract/events.ts';

const JOB = 'backup-20260301-120000-abc123';
const HEAD = {
  journal: 1,
  job: JOB,
  process: { pid: 1, start: '2', boot: '3' },
  socket: '/x.sock',
} as const;
let dir: string;
let errors: BifractError[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-journal-'));
  errors = [];
});

afterEach(() => rm(dir, { recursive: true, force: true }));

type Bare = JobEvent extends infer One ? (One extends JobEvent ? Omit<One, 'job' | 'time'> : never) : never;

function event(bare: Bare): JobEvent {
  return { job: JOB, time: '2026-03-01T12:00:00.000Z', ...bare } as JobEvent;
}

const STARTED = event({ event: 'job:started', kind: 'backup', title: 'Backup' });
const DONE = event({ event: 'job:done', result: { rows: 7 } });
const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.string().map((phase) => event({ event: 'job:phase', phase })),
  fc.nat().map((rows) => event({ event: 'job:progress', rows })),
  fc.string().map((message) => event({ event: 'job:warning', message })),
  fc
    .tuple(fc.string(), fc.boolean())
    .map(([item, ok]) => event({ event: 'job:item', item, ok, message: item })),
  fc.string().map((reason) => event({ event: 'job:retry', attempt: 1, wait_ms: 5, reason })),
);

async function write(events: JobEvent[], folder = dir): Promise<string> {
  const history = new JobHistory();
  const path = join(folder, `${JOB}.ndjson`);
  const file = await JournalWriter.create(
    () => OpenFolder.open(folder),
    HEAD,
    history,
    (error) => errors.push(error),
  );
  for (const one of events) file.add(history.add(one));
  await file.close();
  return path;
}

async function readJournal(path: string): Promise<Journal | undefined> {
  await using folder = await OpenFolder.open(dirname(path));
  return await readIn(folder, basename(path));
}

test('a journal truncated anywhere has the events before that position', async () => {
  let readable = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { maxLength: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (some, cut) => {
        const folder = await mkdtemp(join(dir, 'one-'));
        const text = await readFile(await write([STARTED, ...some, DONE], folder));
        const full = parseJournal(text.toString());
        assert.ok(full?.ended);
        assert.deepEqual([full.entries[0]?.event, full.entries.at(-1)?.event], [STARTED, DONE]);
        const part = parseJournal(text.subarray(0, Math.floor(cut * text.length)).toString());
        if (!part) return;
        readable += 1;
        assert.deepEqual(part.entries, full.entries.slice(0, part.entries.length));
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(readable > 0);
});

test('skips invalid lines, incomplete lines and lines of other jobs', async () => {
  const path = await write([STARTED, DONE]);
  const [head = '', first = '', last = ''] = (await readFile(path, 'utf8')).split('\n');
  const wrong = [
    '',
    'x',
    '{',
    'null',
    '[]',
    '7',
    '{"seq":2,"event":"job:phase"}',
    JSON.stringify({ seq: 2, ...event({ event: 'job:phase', phase: 'x' }), job: 'other' }),
    JSON.stringify({ seq: 2, job: JOB, time: 'now', event: 'job:item', item: 7, ok: true, message: 'm' }),
    JSON.stringify({ seq: 2, job: JOB, time: 'now', event: 'job:failed', error: null }),
    JSON.stringify({ seq: 2, job: JOB, time: 'now', event: 'toString' }),
    JSON.stringify({ seq: '2', job: JOB, time: 'now', event: 'job:phase', phase: 'x' }),
    first,
  ];
  await writeFile(path, [head, ...wrong, first, ...wrong, last, last].join('\n'));
  const journal = await readJournal(path);
  assert.deepEqual(
    journal?.entries.map((entry) => entry.event),
    [STARTED, DONE],
  );
  for (const text of ['', 'x', '{"journal":2}', '{"journal":1,"job":"x"}', first]) {
    assert.equal(parseJournal(text), undefined, text);
  }
  assert.equal(await readJournal(join(dir, 'none')), undefined);
});

test('ignores events after the final one', async () => {
  const journal = parseJournal(
    [
      HEAD,
      { seq: 1, ...STARTED },
      { seq: 2, ...DONE },
      { seq: 3, ...event({ event: 'job:phase', phase: 'x' }) },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );
  assert.equal(journal?.entries.length, 2);
});

test('the journal of a job with many events has a limited size, with its start, its failures and its end', async () => {
  const many = Array.from({ length: 40_000 }, (_, at) =>
    at % 2 === 0
      ? event({ event: 'job:item', item: `file ${at}`, ok: at % 1000 !== 0, message: 'm'.repeat(500) })
      : event({ event: 'job:progress', rows: at }),
  );
  const path = await write([STARTED, ...many, DONE]);
  const { size } = await stat(path);
  assert.ok(size < 20 << 20, `${size} bytes`);
  const history = new JobHistory();
  for (const one of [STARTED, ...many, DONE]) history.add(one);
  const kept = history.entries().map((entry) => entry.event);
  assert.ok(kept.length <= 3000 && JSON.stringify(kept).length < 5 << 20);
  assert.deepEqual([kept[0], kept.at(-1)], [STARTED, DONE]);
  assert.equal(kept.filter((one) => one.event === 'job:item' && !one.ok).length, 40);
  const journal = await readJournal(path);
  assert.ok(journal?.ended);
  assert.deepEqual(errors, []);
});

test('progress is written at most once a second, and the last one before any other event', async () => {
  const steps = Array.from({ length: 500 }, (_, rows) => event({ event: 'job:progress', rows }));
  const journal = await readJournal(await write([STARTED, ...steps, DONE]));
  const events = journal?.entries.map((entry) => entry.event) ?? [];
  assert.deepEqual(events.at(-2), steps.at(-1));
  assert.ok(events.length < 10, `${events.length}`);
});

test('the longer a job runs, the less often progress is written', async () => {
  let now = 0;
  const clock = mock.method(performance, 'now', () => now);
  const history = new JobHistory();
  const file = await JournalWriter.create(
    () => OpenFolder.open(dir),
    HEAD,
    history,
    (error) => errors.push(error),
  );
  const counts: number[] = [];
  for (let seconds = 0; seconds < 100_000; seconds++) {
    now = seconds * 1_000;
    file.add(history.add(event({ event: 'job:progress', rows: seconds })));
    if ([100, 1_000, 10_000, 99_999].includes(seconds)) {
      await file.close();
      counts.push((await readJournal(join(dir, `${JOB}.ndjson`)))?.entries.length ?? 0);
    }
  }
  clock.mock.restore();
  const [first = 0, ...others] = counts;
  assert.ok(first > 90, `${first} in the first 100 seconds`);
  for (const [index, count] of others.entries())
    assert.ok(count > 150 && count < 350 * (index + 1), `${count} after ${index + 1}`);
});

test('a journal has mode 0600 and never replaces another', async () => {
  const path = await write([STARTED]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await assert.rejects(write([STARTED]), { code: 'EXISTS' });
});

test('a write error is reported once, and writing continues when possible', async () => {
  const history = new JobHistory();
  const path = join(dir, 'away', `${JOB}.ndjson`);
  await mkdir(join(dir, 'away'));
  const file = await JournalWriter.create(
    () => OpenFolder.open(join(dir, 'away')),
    HEAD,
    history,
    (error) => errors.push(error),
  );
  const add = (one: JobEvent) => file.add(history.add(one));
  add(STARTED);
  await file.close();
  await rm(join(dir, 'away'), { recursive: true });
  for (const phase of ['a', 'b', 'c']) add(event({ event: 'job:phase', phase }));
  await file.close();
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.code, 'NOT_FOUND');
  await mkdir(join(dir, 'away'));
  add(DONE);
  await file.close();
  const journal = await readJournal(path);
  assert.deepEqual(
    [journal?.ended, journal?.entries.length],
    [true, 5],
    'the final event rewrites the whole journal',
  );
});

test('a line of a journal that is nested deeply is skipped: printing it would fail', () => {
  const lines = [HEAD, { seq: 1, ...STARTED }, { seq: 3, ...DONE }].map((one) => JSON.stringify(one));
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const nested = JSON.stringify({ seq: 2, ...DONE }).replace('{"rows":7}', `{"rows":${deep}}`);
  assert.notEqual(nested.indexOf(deep), -1);
  const journal = parseJournal([lines[0], lines[1], nested, lines[2], ''].join('\n'));
  assert.deepEqual(
    journal?.entries.map(({ seq }) => seq),
    [1, 3],
  );
});
