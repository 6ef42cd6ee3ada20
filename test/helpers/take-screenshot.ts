// Takes the screenshot of the README: node --import tsx test/helpers/take-screenshot.ts, after npm run build.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDemo } from '../../bin/demo/installation.ts';
import { PROGRAM, run } from './program.ts';
import { PtyProgram } from './pty.ts';
import { pictureOf } from './svg-screenshot.ts';

const demo = await startDemo({ generation: 'A', scale: 12 });
try {
  for (const fractal of ['default', 'payments-json', 'windows-events'])
    await run(['archive', fractal, '--dir', demo.dir]);
  const console = new PtyProgram(process.execPath, [PROGRAM, '--dir', demo.dir], { columns: 110, rows: 18 });
  await console.waitFor(/ClickHouse ✓ +Storage ✓/);
  console.type('2');
  await console.waitFor('web-prod');
  console.type('jjjjj');
  console.type('a');
  await console.waitFor('Archive "');
  console.type('y');
  await console.waitFor(/archiving [2-9]\d%/, 60_000);
  await writeFile(join(import.meta.dirname, '../../docs/console.svg'), pictureOf(console.screen));
  console.kill('SIGTERM');
  await console.ended;
} finally {
  await demo.stop();
}
