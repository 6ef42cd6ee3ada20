/**
 * A process that saves a job record and never ends: to be killed. Arguments: installation, record, and what to do
 * instead: `block` to hang in the write, `leftovers` to hang while it saves those, `wait` to wait for the lock, `hold` to hold it.
 */
import fs from 'node:fs/promises';
import { mock } from 'node:test';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';

const [install = '', record = '', mode] = process.argv.slice(2);
const state = new StateFolder(install);
const hold = async () => {
  print('held');
  await new Promise(() => undefined);
};
const print = (text: string) => void process.stdout.write(`${text}\n`);
if (mode === 'block' || mode === 'leftovers')
  mock.method(fs, 'rename', () => {
    setInterval(() => print('writing'), 10);
    return new Promise(() => undefined);
  });
if (mode === 'hold') void state.locked('other', hold);
else if (mode === 'wait')
  await state.locked('other', async () => undefined, { onWait: () => print('waiting') });
else if (mode === 'leftovers') await state.saveLeftovers([]);
else await state.save(JSON.parse(record));
if (mode !== 'hold') print('saved');
setInterval(() => undefined, 1000);
