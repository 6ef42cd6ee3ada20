/** A process that writes to a storage and never ends: to be killed. Arguments: module, location, name, bytes. */
import type { Storage } from '../../src/core/ports/storage.ts';

const [module = '', location = '', name = '', bytes = '0'] = process.argv.slice(2);
const { open } = (await import(module)) as { open(location: string): Storage };

async function* endless(): AsyncGenerator<Buffer> {
  for (let written = 0; written < Number(bytes); written += 1 << 20) yield Buffer.alloc(1 << 20, 7);
  process.stdout.write('written\n');
  setInterval(() => undefined, 1000);
  await new Promise(() => undefined);
}

await open(location).put(name, endless(), { job: 'killed-job' });
