import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { ndjson, PROGRAM, run, start } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { testServices } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

const FRACTAL = 'c0000000-0000-4000-8000-000000000001';
/** Tried on every line, and never ends on one of many words. */
const ENDLESS = String.raw`/(\S+\s?)+[Q]$/`;
/** Far less than the time after which such a search gives up. */
const PROMPT_MS = 5_000;

const services = await testServices();
const { dir } = await services.installation();
await services.sql(`INSERT INTO fractals (id, name, log_count) VALUES ($1, 'web-prod', 500)`, [FRACTAL]);
await seedRows(services.clickhouse, services.clickhouse.database, {
  fractal_id: FRACTAL,
  kind: 'web',
  rows: 500,
  seed: 5,
  from: new Date(Date.now() - 3_600_000),
  to: new Date(),
});
assert.equal((await run(['archive', 'web-prod', '--split', 'none', '--quiet', '--dir', dir])).code, 0);
const [archive] = ndjson<{ id: string }>(await run(['list', 'archives', '--json', '--dir', dir]));
const id = archive?.id ?? '';

/** CPU time of a process: starting takes less than a second. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return (user + system) / 100;
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends a search for an endless regular expression with ${code}`, async () => {
    const search = start(['search', id, ENDLESS, '--dir', dir]);
    await until(async () => (await cpuSeconds(search.pid)) > 1.5, 20_000, 'the regular expression is tried');
    const started = performance.now();
    search.child.kill(signal);
    assert.equal((await search.ended).code, code);
    assert.ok(performance.now() - started < PROMPT_MS);
  });
}

test('an endless regular expression ends by itself with TIMED_OUT', async () => {
  const { code, stdout } = await run(['search', id, ENDLESS, '--json', '--dir', dir]);
  assert.equal(code, 1);
  assert.match(stdout.toString(), /TIMED_OUT/);
});

test('a search by the program finds what the thread finds', async () => {
  const ended = await run(['search', id, '/./', '--dir', dir]);
  // The pipe to a slow reader is full at times.
  assert.equal(ended.code, 0, ended.stderr);
  const all = ndjson<{ raw: string }>(ended);
  assert.equal(all.length, 500);
  const expected = all.filter(({ raw }) => /" 50\d /.test(raw)).length;
  const { stdout } = await run(['search', id, String.raw`/" 50\d /`, '--count', '--dir', dir]);
  assert.equal(Number(stdout.toString()), expected);
});

for (const [what, leave] of [
  ['Ctrl-C', (console: PtyProgram) => console.type('\x03')],
  ['SIGTERM', (console: PtyProgram) => process.kill(console.pid, 'SIGTERM')],
] as const) {
  test(`the console answers during an endless search, and ${what} ends it`, async () => {
    const console = new PtyProgram(process.execPath, [PROGRAM, '--dir', dir]);
    await console.waitFor('Overview');
    console.type('3');
    await console.waitFor('1 archive');
    console.type('o');
    await console.waitFor('row 1 of 500');
    console.type('/');
    await console.waitFor('/regex/');
    console.type(`${ENDLESS}\r`);
    await console.waitFor('Searching for');
    console.type('j');
    await console.waitFor('row 2 of 500');
    const started = performance.now();
    leave(console);
    await console.ended;
    assert.ok(performance.now() - started < PROMPT_MS);
  });
}
