// The console on an engine in memory, with many archives and running jobs: console-program.tsx ARCHIVES JOBS
import { openConsole } from '../../src/components/index.tsx';
import { FakeEngine, fakeArchive, fakeFractal } from '../../test/helpers/fake-engine.ts';

/** As often as jobs report progress. */
const PROGRESS_MS = 100;
const TOTAL_ROWS = 500_000_000;

const [archives = 0, jobs = 0] = process.argv.slice(2).map(Number);
const fractals = Array.from({ length: 20 }, (_, index) => fakeFractal(index + 1));
const engine = new FakeEngine({
  fractals,
  archives: Array.from({ length: archives }, (_, index) =>
    fakeArchive(index + 1, fractals[index % fractals.length] ?? fakeFractal(1)),
  ),
});
engine.detached = true;
const started = Date.now();
setInterval(() => {
  for (const job of engine.jobs) {
    const rows = Math.round((Date.now() - started) * 1_234.5);
    job.emit('job:progress', { rows, total_rows: TOTAL_ROWS, bytes_in: rows * 217, bytes_out: rows * 24 });
  }
}, PROGRESS_MS);
const left = openConsole(engine, { stdin: process.stdin, stdout: process.stdout, colors: 'truecolor' });
for (const { id, name } of fractals.slice(0, jobs))
  engine.start({ kind: 'archive', fractal_id: id, fractal_name: name });
await left;
process.exit();
