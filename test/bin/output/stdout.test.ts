import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';

/** More than any pipe holds. */
const BYTES = 4 << 20;
const MODULE = JSON.stringify(new URL('../../../bin/output/stdout.ts', import.meta.url).href);
/** Says on stderr that it waits for its reader, and then whether the reader had everything. */
const WRITER = `
  const { writeStdout } = await import(${MODULE});
  // As the program does: an error is told by the write that failed.
  process.stdout.on('error', () => undefined);
  const parts = Array.from({ length: 64 }, () => Buffer.alloc(${BYTES / 64}, 'x'));
  let read = true;
  const writing = (async () => { for (const part of parts) read &&= await writeStdout(part); })();
  await new Promise(setImmediate);
  process.stderr.write('writing');
  await writing;
  process.stderr.write(String(read));`;

function writer() {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', WRITER];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('a reader that is late gets everything', async () => {
  const child = writer();
  const [said] = await once(child.stderr, 'data');
  assert.equal(String(said), 'writing');
  const [bytes, rest] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'exit')]);
  assert.deepEqual([bytes.length, String(rest), child.exitCode], [BYTES, 'true', 0]);
});

test('a reader that leaves ends the output without an error', async () => {
  const child = writer();
  await once(child.stderr, 'data');
  child.stdout.destroy();
  const [rest] = await Promise.all([buffer(child.stderr), once(child, 'exit')]);
  assert.deepEqual([String(rest), child.exitCode], ['false', 0]);
});
