// A console on an engine in memory, to be looked at: node --import tsx test/helpers/play-console.tsx [--read-only] [--no-color]
if (process.argv.includes('--no-color')) process.env.FORCE_COLOR = '0';
const { openConsole } = await import('../../src/components/index.tsx');
const { busyEngine } = await import('./fake-engine.ts');

type Job = ReturnType<typeof busyEngine>['jobs'][number];

const engine = busyEngine();
const TOTAL = 2_800_000;

function lead(job: Job): void {
  let rows = 0;
  job.phase('Counting rows');
  setTimeout(() => job.phase(job.request.kind === 'backup' ? 'Dumping' : 'Writing rows'), 900);
  const timer = setInterval(() => {
    if (job.ended) return clearInterval(timer);
    rows += 9_000 + Math.round(Math.random() * 4_000);
    job.emit('job:progress', {
      item: job.request.kind === 'backup' ? 'public.alerts' : '2026-03-01',
      rows: Math.min(rows, TOTAL),
      ...(job.request.kind === 'archive' ? { total_rows: TOTAL } : {}),
      bytes_in: rows * 217,
      bytes_out: rows * 24,
    });
    if (rows > TOTAL / 3 && rows < TOTAL / 3 + 12_000)
      job.emit('job:warning', { message: 'A line of 11.2 MiB is longer than the server can restore' });
    if (rows > TOTAL / 2 && rows < TOTAL / 2 + 12_000)
      job.emit('job:retry', { attempt: 2, wait_ms: 4000, reason: 'connection reset by peer' });
    if (rows >= TOTAL) {
      clearInterval(timer);
      job.done({
        name: 'result.bifract-archive',
        size_bytes: rows * 24,
        log_count: TOTAL,
        checksum: 'ab'.repeat(32),
      });
    }
  }, 100);
}

engine.onStart = lead;
engine.onCancel = (job) => setTimeout(() => job.cancelled(), 1500);
const { error } = await openConsole(engine, {
  stdin: process.stdin,
  stdout: process.stdout,
  color: !process.argv.includes('--no-color'),
  readOnly: process.argv.includes('--read-only'),
});
if (error) console.error(error);
process.exit(error ? 1 : 0);
