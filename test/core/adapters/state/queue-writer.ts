import fs from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { QueueFile } from '../../../../src/core/adapters/state/queue-file.ts';
import { queued } from '../../../contracts/job-queue.ts';

/** Prints a line and hangs while it changes, writes or runs the queue, so that it can be killed there. */
const [dir = '', mode] = process.argv.slice(2);
const queue = new QueueFile(dir);
const hang = async (): Promise<never> => {
  process.stdout.write('here\n');
  for (;;) await wait(1_000);
};
if (mode === 'run') await queue.runAlone(hang);
if (mode === 'write') fs.rename = hang;
await queue.change((jobs) => {
  if (mode === 'change') {
    process.stdout.write('here\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  return [...jobs, queued('b')];
});
