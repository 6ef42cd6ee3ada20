import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canTake } from '../../../src/components/view/dialog.ts';
import { flashLines } from '../../../src/components/view/flash.ts';
import { glyphsFor } from '../../../src/components/view/glyphs.ts';
import { readableTitle } from '../../../src/components/view/job-name.ts';
import { jobDone, jobResult, jobSpeed } from '../../../src/components/view/jobs.ts';
import type { DialogState, LogEntry, Snapshot } from '../../../src/components/view/types.ts';
import { longVerdict, shortVerdict, verdictOf } from '../../../src/components/view/verdict.ts';
import type { JobView } from '../../../src/core/index.ts';
import { fakeArchive, fakeFractal } from '../../helpers/fake-engine.ts';

const glyphs = glyphsFor(true);

function job(given: Partial<JobView>): JobView {
  return { kind: 'verify', progress: {}, started_at: 0, ended_at: 2_000, ...given } as JobView;
}

test('results of jobs on files are told in words', () => {
  const files = { files: 3, proven: 2, size_bytes: 1024, rows: 9, quick: false };
  assert.equal(jobResult(job({ result: files })), '3 files sound, 1 not proven whole, 1.0 KiB, in 2s');
  assert.equal(jobResult(job({ result: { ...files, proven: 3 } })), '3 files sound, 1.0 KiB, in 2s');
  assert.equal(
    jobResult(job({ result: { ...files, proven: 0, quick: true } })),
    '3 files sound at both ends, 1.0 KiB, in 2s',
  );
  assert.equal(
    jobResult(job({ kind: 'adopt', result: { adopted: [1], skipped: 2 } })),
    '1 file adopted, 2 skipped, in 2s',
  );
  assert.equal(
    jobResult(job({ kind: 'clean', result: { leftovers_removed: 1, records_failed: 2 } })),
    '1 leftover removed, 2 records marked as failed, in 2s',
  );
});

test('work on files is measured by their bytes, which are no estimate', () => {
  const progress = { rows: 5, bytes_in: 1024, total_bytes: 4096 };
  assert.equal(jobDone(job({ progress })), '1.0 KiB of 4.0 KiB, 5 rows');
  assert.equal(
    jobDone(job({ kind: 'backup', progress: { bytes_in: 1024, total_bytes: 4096 } })),
    '1.0 KiB of about 4.0 KiB',
  );
  assert.equal(jobSpeed(job({ progress, rows_per_second: 0, bytes_per_second: 2048 })), '2.0 KiB/s');
  assert.equal(
    jobSpeed(job({ progress: { rows: 5, total_rows: 9 }, rows_per_second: 7, bytes_per_second: 2048 })),
    '7 rows/s',
  );
});

test('titles name files as people know them', () => {
  const record = fakeArchive(1, fakeFractal(1, { name: 'web' }), { created_at: '2026-03-01T12:34:56Z' });
  assert.equal(
    readableTitle(`Verification of ${record.id}`, [record]),
    'Verification of web, 2026-03-01 12:34',
  );
  assert.equal(readableTitle(`Verification of ${record.id}`, []), `Verification of ${record.id}`);
  assert.equal(
    readableTitle('Verification of bifract-backup-20260301-123456.bifract-backup', []),
    'Verification of backup of 2026-03-01 12:34',
  );
  assert.equal(
    readableTitle(`Verification of ${record.storage_path}`, [record]),
    `Verification of ${record.filename}`,
  );
});

test('the newest verdict counts, and a quick one claims less', () => {
  const old = { at: 1_000, ok: true, quick: false, message: '' };
  const bad = { at: 2_000, ok: false, quick: false, message: '' };
  const verdicts = new Map([
    ['id', bad],
    ['name', old],
  ]);
  const moment = { glyphs, now: 62_000 };
  assert.equal(verdictOf({ verdicts }, 'name', 'id'), bad);
  assert.equal(verdictOf({ verdicts }, 'name'), old);
  assert.equal(verdictOf({ verdicts }, 'other'), undefined);
  assert.deepEqual(shortVerdict(bad, moment), { text: '✗ failed', tone: 'bad' });
  assert.deepEqual(shortVerdict(old, moment), { text: '✓ 1m', tone: 'good' });
  assert.equal(shortVerdict({ ...old, quick: true }, moment).text, '✓ ends');
  assert.match(longVerdict({ ...old, quick: true }, moment).text, /its ends are sound/);
});

test('an option that wants a word is taken with that word only', () => {
  const option = { key: 'y', label: '', safe: false, run() {} };
  const dialog: DialogState = {
    title: '',
    tone: 'bad',
    lines: [],
    options: [option],
    focus: 0,
    word: 'remove 3',
  };
  for (const typed of [undefined, '', 'remove', 'remove 33', 'Remove 3']) {
    assert.equal(canTake(option, { ...dialog, typed }), false, String(typed));
  }
  assert.equal(canTake(option, { ...dialog, typed: 'remove 3' }), true);
  assert.equal(canTake({ ...option, safe: true }, dialog), true);
});

test('an error takes the lines that it needs, until it was seen; nothing else does', () => {
  const entry: LogEntry = {
    id: '1',
    at: 0,
    severity: 'error',
    text: 'what failed and why '.repeat(6),
    hint: 'What to do about it. '.repeat(3),
  };
  const of = (flash: LogEntry) => flashLines({ ui: { flash }, glyphs, columns: 80 } as unknown as Snapshot);
  const lines = of(entry).map((line) => line.map(({ text }) => text).join(''));
  assert.equal(lines.length, 3);
  assert.match(lines.at(-1) ?? '', /What to do about it/);
  assert.equal(of({ ...entry, folded: true }).length, 1);
  assert.equal(of({ ...entry, severity: 'warn' }).length, 1);
  assert.ok(of({ ...entry, text: entry.text.repeat(9) }).length <= 5);
});
