import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { GENERATIONS, type Generation } from '../../bin/demo/generations.ts';
import { CELLS } from './cells.ts';
import { makeInstallation, recordPostgresFailures } from './installation.ts';
import { notCalled, sendOtherStatements, wrongNames } from './statements.ts';

/** `npm run test:generations` sets all. */
const CHOSEN = (process.env.GENERATIONS?.split(',') ?? ['A', 'D', 'H']).map((name) => {
  assert.ok((GENERATIONS as readonly string[]).includes(name), `Unknown generation: ${name}`);
  return name as Generation;
});

const table = new Map<Generation, Map<string, boolean>>();
const postgres = recordPostgresFailures();

for (const generation of CHOSEN) {
  test(`release ${generation}`, { timeout: 600_000 }, async (t) => {
    const on = await makeInstallation(generation);
    const results = new Map<string, boolean>();
    table.set(generation, results);
    const state = {} as Parameters<(typeof CELLS)[string]>[1];
    for (const [name, cell] of Object.entries(CELLS))
      await t.test(name, async () => {
        results.set(name, false);
        await cell(on, state);
        results.set(name, true);
      });
    await t.test('statements have only names that this release has', async () => {
      await sendOtherStatements(on);
      assert.deepEqual(await notCalled(on), []);
      assert.deepEqual(wrongNames(on, postgres.splice(0)), []);
    });
  });
}

after(() => console.log(render()));

function render(): string {
  const columns = [...table.keys()];
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...columns]),
    line(['---', ...columns.map(() => '---')]),
    ...Object.keys(CELLS).map((name) =>
      line([name, ...columns.map((column) => (table.get(column)?.get(name) ? 'yes' : 'NO'))]),
    ),
  ].join('\n');
}
