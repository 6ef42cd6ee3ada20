import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerdicts } from '../../../src/components/hooks/verdicts.ts';
import type { JobEvent } from '../../../src/core/index.ts';

const NAME = 'web-2026-03-01.bifract-archive';
const time = '2026-03-01T12:00:00.000Z';
const event = (given: object) => ({ job: 'verify-1', time, ...given }) as unknown as JobEvent;

function failed() {
  const verdicts = createVerdicts();
  verdicts.apply(event({ event: 'job:started', kind: 'verify' }));
  const error = { code: 'NOT_FOUND', message: 'The file is missing' };
  verdicts.apply(
    event({
      event: 'job:item',
      item: `archives/f/${NAME}`,
      ok: false,
      message: error.message,
      error,
      details: { target: 'id-1' },
    }),
  );
  return verdicts;
}

test('what a verification found is known by the name of the file and by what was asked for', () => {
  const verdicts = failed();
  assert.deepEqual([...verdicts.state().keys()], [NAME, 'id-1']);
  assert.equal(verdicts.state().get('id-1')?.ok, false);
});

test('what was found of a file is past once an archive has written it', () => {
  const verdicts = failed();
  const done = (children: object[]) => event({ job: 'archive-1', event: 'job:done', result: { children } });
  verdicts.apply(done([{ archive_id: 'id-2', storage_path: 'archives/f/other.bifract-archive' }]));
  verdicts.apply(event({ event: 'job:done', result: { verified: 1 } }));
  assert.equal(verdicts.state().size, 2);
  verdicts.apply(done([{ archive_id: 'id-1', storage_path: `archives/f/${NAME}` }]));
  assert.equal(verdicts.state().size, 0);
});
