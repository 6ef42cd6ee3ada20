import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combine, type Failure } from '../../../src/core/job/failures.ts';

const failed = (item: string, message: string): Failure => ({
  item,
  error: { code: 'STORAGE_FAILED', message },
});

test('items with the same reason are grouped', () => {
  const failures = [failed('web', 'the disk is broken'), failed('mail', 'the key differs')];
  failures.push(failed('dns', 'the disk is broken'), failed('vpn', 'the disk is broken'));
  const error = combine(failures, 5, 'failed');
  assert.equal(error?.code, 'PARTLY_DONE');
  const message = error?.message ?? '';
  assert.match(message, /4 of 5/);
  for (const name of ['web', 'mail', 'dns', 'vpn']) assert.ok(message.includes(name), message);
  assert.equal(message.match(/the disk is broken/g)?.length, 1);
  assert.equal(message.match(/the key differs/g)?.length, 1);
});

test('reasons that differ only in the item name are grouped', () => {
  const names = Array.from({ length: 30 }, (_, at) => `file-${at + 10}`);
  const failures = names.map((name) => failed(name, `Cannot delete ${name}: EIO`));
  const message = combine(failures, 30, 'could not be deleted')?.message ?? '';
  assert.match(message, /30.*file-10.*29.*file-11/);
  assert.equal(message.match(/EIO/g)?.length, 1);
  assert.ok(message.includes('file-19') && !message.includes('file-20'), message);
});
