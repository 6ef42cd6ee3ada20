// Opens a console on an engine in memory, to try it out: node --import tsx test/helpers/preview-console.tsx [--read-only] [--no-color]
process.env.FORCE_COLOR = '3';
const { openConsole } = await import('../../src/components/index.tsx');
const { busyEngine } = await import('./fake-engine.ts');

type Job = ReturnType<typeof busyEngine>['jobs'][number];

const engine = busyEngine();
const TOTAL = 2_800_000;
const [first, second] = engine.data.orphans;
engine.data.adoptable = {
  items: [first, second].flatMap((orphan, index) =>
    orphan
      ? [
          {
            path: orphan.id,
            size_bytes: orphan.size_bytes,
            fractal: { id: 'f', name: orphan.fractal_name },
            fractal_known: index === 0,
            create_fractal: false,
            archive_id: null,
            rows: 1_234_567,
            first: '2026-02-01T00:00:00Z',
            last: '2026-03-01T00:00:00Z',
            period: null,
            split: 'none',
            created_at: '2026-03-01T00:00:00Z',
            action: index === 0 ? ('adopt' as const) : ('skip' as const),
            reason: index === 0 ? '' : 'Its fractal does not exist',
          },
        ]
      : [],
  ),
};

function verify(job: Job, targets: readonly string[]): void {
  let done = 0;
  let reported = 0;
  job.phase('Verifying');
  const size = 40 * 2 ** 20;
  const timer = setInterval(() => {
    if (job.ended) return clearInterval(timer);
    done += 2 ** 22;
    job.emit('job:progress', {
      item: targets[Math.floor(done / size)],
      rows: Math.round(done / 30),
      bytes_in: done,
      total_bytes: size * targets.length,
    });
    if (done < size * (reported + 1)) return;
    const target = targets[reported++] ?? '';
    const ok = !target.includes('1003');
    const error = {
      code: 'CUT_OFF',
      message: 'The file is truncated: it has no trailer',
      hint: 'Keep it and look for another copy. `bifract extract` recovers the readable part.',
    } as const;
    job.emit('job:item', {
      item: target,
      ok,
      message: ok ? 'Complete, 3145728 rows' : error.message,
      ...(ok ? {} : { error }),
      details: { target, checksum: ok ? 'ab' : null },
    });
    if (reported < targets.length) return;
    clearInterval(timer);
    const failed = targets.filter((one) => one.includes('1003')).length;
    if (failed > 0)
      job.fail({ ...error, code: 'PARTLY_DONE', message: `${failed} of ${targets.length} failed` });
    else
      job.done({
        files: targets.length,
        proven: targets.length,
        rows: 1_000_000,
        size_bytes: done,
        quick: false,
      });
  }, 100);
}

function settle(job: Job, paths: readonly string[]): void {
  job.phase('Cleaning up');
  setTimeout(() => {
    for (const item of paths) job.emit('job:item', { item, ok: true, message: 'Deleted' });
    engine.data.orphans = engine.data.orphans.filter(({ path }) => !paths.includes(path));
    job.done({ leftovers_removed: paths.length, records_failed: 0 });
  }, 3_000);
}

function work(job: Job): void {
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
      job.emit('job:warning', { message: 'A line of 11.2 MiB is too long to be restored by the server' });
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

engine.onStart = (job) => {
  const { request } = job;
  if (request.kind === 'verify') verify(job, request.targets === 'all' ? ['all'] : request.targets);
  else if (request.kind === 'clean')
    settle(
      job,
      request.orphans.map(({ path }) => path),
    );
  else if (request.kind === 'adopt')
    settle(
      job,
      request.plan.items.map(({ path }) => `/archives/${path}`),
    );
  else work(job);
};
engine.onCancel = (job) => setTimeout(() => job.cancelled(), 1500);
const { error } = await openConsole(engine, {
  stdin: process.stdin,
  stdout: process.stdout,
  colors: process.argv.includes('--no-color') ? 'none' : 'truecolor',
  readOnly: process.argv.includes('--read-only'),
});
if (error) console.error(error);
process.exit(error ? 1 : 0);
