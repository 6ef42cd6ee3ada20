import { type StartOptions, startConsole } from './console.ts';
import { FakeArchive } from './fake-archive.ts';
import { FakeEngine, fakeArchive, fakeFractal } from './fake-engine.ts';

/** A console that is opening the rows of its only archive. */
export async function openRows(
  given: ConstructorParameters<typeof FakeArchive>[0],
  options: Omit<StartOptions, 'engine'> = {},
) {
  const fractal = fakeFractal(1, { name: 'web' });
  const record = fakeArchive(1, fractal);
  const archive = new FakeArchive(given);
  const engine = new FakeEngine({
    fractals: [fractal],
    archives: [record],
    browsable: { [record.id]: archive },
  });
  const console = startConsole({ ...options, engine });
  await console.terminal.press('3');
  await console.terminal.waitFor('1 archive');
  await console.terminal.press('o');
  return { console, terminal: console.terminal, engine, archive, record };
}
