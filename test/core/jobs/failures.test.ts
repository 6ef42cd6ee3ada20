import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combine, type Failure } from '../../../src/core/jobs/failures.ts';

const failed = (item: string, message: string): Failure => ({
  item,
  error: { code: 'STORAGE_FAILED', message },
});

test('a reason that several items share is said once, with those it stands for', () => {
  const failures = [failed('web', 'the disk is broken'), failed('mail', 'the key differs')];
  failures.push(failed('dns', 'the disk is broken'), failed('vpn', 'the disk is broken'));
  const error = combine(failures, 5, 'failed');
  assert.equal(error?.code, 'PARTLY_DONE');
  assert.equal(
    error?.message,
    '4 of 5 failed: web: the disk is broken (the same for 2 more: dns, vpn); mail: the key differs',
  );
});

test('a reason that names its item is the same for another item', () => {
  const names = Array.from({ length: 30 }, (_, at) => `file-${at + 10}`);
  const failures = names.map((name) => failed(name, `Cannot delete ${name}: EIO`));
  const message = combine(failures, 30, 'could not be deleted')?.message ?? '';
  assert.match(
    message,
    /^All 30 could not be deleted: Cannot delete file-10: EIO \(the same for 29 more: file-11, /,
  );
  assert.equal(message.match(/EIO/g)?.length, 1);
  assert.ok(message.endsWith('file-19, …)'), message);
});
