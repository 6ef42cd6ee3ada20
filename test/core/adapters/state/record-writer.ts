/** A process that saves a job record and never ends: to be killed. Arguments: installation, record, `block` to hang in the write. */
import fs from 'node:fs/promises';
import { mock } from 'node:test';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';

const [install = '', record = '', mode] = process.argv.slice(2);
if (mode === 'block')
  mock.method(fs, 'rename', () => {
    setInterval(() => process.stdout.write('writing\n'), 10);
    return new Promise(() => undefined);
  });
await new StateFolder(install).save(JSON.parse(record));
process.stdout.write('saved\n');
setInterval(() => undefined, 1000);
