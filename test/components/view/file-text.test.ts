import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symbolsFor } from '../../../src/components/text/symbols.ts';
import { canChoose } from '../../../src/components/view/dialog.ts';
import { jobProgress, jobResult, jobSpeed, readableTitle } from '../../../src/components/view/jobs.ts';
import { longVerification, shortVerification } from '../../../src/components/view/lists/file-cells.ts';
import { statusMessageLines } from '../../../src/components/view/status-message.ts';
import type { DialogState, DrawContext, LogEntry, Snapshot } from '../../../src/components/view/types.ts';
import type { ArchiveRecord, CheckResult, JobView } from '../../../src/core/index.ts';
import { fakeArchive, fakeFractal } from '../../helpers/fake-engine.ts';

const symbols = symbolsFor(true);

function job(given: Partial<JobView>): JobView {
  return { kind: 'verify', progress: {}, started_at: 0, ended_at: 2_000, ...given } as JobView;
}

test('results of jobs on files contain counts, sizes and duration', () => {
  const files = { files: 3, proven: 2, size_bytes: 1024, rows: 9, quick: false };
  const partsOf = (given: Partial<JobView>) => jobResult(job(given)).split(', ');
  const [passed, unproven, ...rest] = partsOf({ result: files });
  assert.match(passed ?? '', /^3 files /);
  assert.match(unproven ?? '', /^1 /);
  assert.deepEqual(rest, ['1.0 KiB', 'in 2s']);
  assert.deepEqual(partsOf({ result: { ...files, proven: 3 } }), [passed, '1.0 KiB', 'in 2s']);
  const [quick, ...afterQuick] = partsOf({ result: { ...files, proven: 0, quick: true } });
  assert.match(quick ?? '', /^3 files /);
  assert.notEqual(quick, passed, 'a quick check does not claim a full one');
  assert.deepEqual(afterQuick, ['1.0 KiB', 'in 2s']);
  assert.match(
    jobResult(job({ kind: 'adopt', result: { adopted: [1], skipped: 2 } })),
    /^1 file [a-z]+, 2 [a-z]+, in 2s$/,
  );
  assert.match(
    jobResult(job({ kind: 'clean', result: { leftovers_removed: 1, records_failed: 2 } })),
    /^1 .*, 2 records .*, in 2s$/,
  );
});

test('progress on files is measured in bytes of known size; on dumps the total is an estimate', () => {
  const progress = { rows: 5, bytes_in: 1024, total_bytes: 4096 };
  assert.equal(jobProgress(job({ progress })), '1.0 KiB of 4.0 KiB, 5 rows');
  assert.match(
    jobProgress(job({ kind: 'backup', progress: { bytes_in: 1024, total_bytes: 4096 } })),
    /^1\.0 KiB of \w+ 4\.0 KiB$/,
  );
  assert.equal(jobSpeed(job({ progress, rows_per_second: 0, bytes_per_second: 2048 })), '2.0 KiB/s');
  assert.equal(
    jobSpeed(job({ progress: { rows: 5, total_rows: 9 }, rows_per_second: 7, bytes_per_second: 2048 })),
    '7 rows/s',
  );
});

test('job titles name archives by fractal and time, and backups by time', () => {
  const record = fakeArchive(1, fakeFractal(1, { name: 'web' }), { created_at: '2026-03-01T12:34:56Z' });
  const title = (target: string, ...records: ArchiveRecord[]) =>
    readableTitle(`Verification of ${target}`, {
      archives: { value: records, loading: false },
      fractals: { value: [fakeFractal(1, { name: 'web' })], loading: false },
    });
  assert.equal(title(record.id, record), 'Verification of web, 2026-03-01 12:34');
  assert.equal(title(record.id), `Verification of ${record.id}`);
  assert.equal(
    title('bifract-backup-20260301-123456.bifract-backup'),
    'Verification of backup 2026-03-01 12:34',
  );
  for (const records of [[record], []])
    assert.equal(title(record.storage_path, ...records), 'Verification of web, 2026-03-01 12:34');
});

test('a verification shows its age, whether it passed, and that a quick one was quick', () => {
  const old: CheckResult = {
    at: '1970-01-01T00:00:01.000Z',
    ok: true,
    quick: false,
    key_id: null,
    message: '',
    error: null,
  };
  const bad = { ...old, ok: false };
  const quick = { ...old, quick: true };
  const moment: DrawContext = { symbols: symbols, now: 62_000 };
  assert.deepEqual(shortVerification(null, moment), { text: '-', tone: 'dim' });
  assert.deepEqual(shortVerification(bad, moment), { text: '✗ failed', tone: 'bad' });
  assert.deepEqual(shortVerification(old, moment), { text: '✓ 1m', tone: 'good' });
  assert.equal(shortVerification(quick, moment).text, '✓ 1m quick');
  assert.notEqual(longVerification(quick, moment).text, longVerification(old, moment).text);
});

test('an option that requires a typed confirmation needs exactly that text', () => {
  const option = { key: 'y', label: '', safe: false, run() {} };
  const dialog: DialogState = {
    title: '',
    tone: 'bad',
    lines: [],
    options: [option],
    focus: 0,
    confirmation: 'remove 3',
  };
  for (const typed of [undefined, '', 'remove', 'remove 33', 'Remove 3']) {
    assert.equal(canChoose(option, { ...dialog, typed }), false, String(typed));
  }
  assert.equal(canChoose(option, { ...dialog, typed: 'remove 3' }), true);
  assert.equal(canChoose({ ...option, safe: true }, dialog), true);
});

test('an error takes several lines until it is collapsed; other messages take one', () => {
  const entry: LogEntry = {
    id: '1',
    at: 0,
    severity: 'error',
    text: 'message '.repeat(15),
    hint: 'hint '.repeat(12),
  };
  const of = (statusMessage: LogEntry) =>
    statusMessageLines({ ui: { statusMessage }, symbols, columns: 80 } as unknown as Snapshot);
  const lines = of(entry).map((line) => line.map(({ text }) => text).join(''));
  assert.equal(lines.length, 3);
  assert.match(lines.at(-1) ?? '', /hint/);
  assert.equal(of({ ...entry, collapsed: true }).length, 1);
  assert.equal(of({ ...entry, severity: 'warn' }).length, 1);
  assert.ok(of({ ...entry, text: entry.text.repeat(9) }).length <= 5);
});
