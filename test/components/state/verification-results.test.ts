import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerificationResults } from '../../../src/components/state/verification-results.ts';
import type { JobEvent } from '../../../src/core/index.ts';

const NAME = 'web-2026-03-01.bifract-archive';
const time = '2026-03-01T12:00:00.000Z';
const event = (given: object) => ({ job: 'verify-1', time, ...given }) as unknown as JobEvent;

function failed() {
  const results = createVerificationResults();
  results.apply(event({ event: 'job:started', kind: 'verify' }));
  const error = { code: 'NOT_FOUND', message: 'The file is missing' };
  results.apply(
    event({
      event: 'job:item',
      item: `archives/f/${NAME}`,
      ok: false,
      message: error.message,
      error,
      details: { target: 'id-1' },
    }),
  );
  return results;
}

test('results are stored by file name and by target', () => {
  const results = failed();
  assert.deepEqual([...results.state().keys()], [NAME, 'id-1']);
  assert.equal(results.state().get('id-1')?.ok, false);
});

test('a result is dropped once an archive job has written the file', () => {
  const results = failed();
  const done = (children: object[]) => event({ job: 'archive-1', event: 'job:done', result: { children } });
  results.apply(done([{ archive_id: 'id-2', storage_path: 'archives/f/other.bifract-archive' }]));
  results.apply(event({ event: 'job:done', result: { verified: 1 } }));
  assert.equal(results.state().size, 2);
  results.apply(done([{ archive_id: 'id-1', storage_path: `archives/f/${NAME}` }]));
  assert.equal(results.state().size, 0);
});

test('a quick check that passes does not replace a full verification; one that fails does', () => {
  const results = createVerificationResults();
  const verified = (given: object) =>
    results.apply(event({ event: 'job:item', item: NAME, ok: true, message: '', ...given }));
  results.apply(event({ event: 'job:started', kind: 'verify' }));
  verified({ details: { checksum: 'aa' } });
  verified({ details: { checksum: null } });
  assert.equal(results.state().get(NAME)?.quick, false);
  verified({ ok: false, details: {} });
  assert.equal(results.state().get(NAME)?.ok, false);
  verified({ details: { checksum: null } });
  assert.equal(results.state().get(NAME)?.quick, true);
});
