import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../src/core/contract/errors.ts';
import { forEachItem, type ItemOutcome } from '../../../src/core/job/items.ts';
import { jobContext } from '../../helpers/fake-ports.ts';

const naming = { name: (item: string) => item, failed: 'could not be copied' };

async function run(items: string[], work: (item: string) => Promise<ItemOutcome>) {
  const context = jobContext();
  const error = await forEachItem(items, naming, work, context).catch((thrown: unknown) => thrown);
  const reported = context.events.flatMap((event) =>
    event.event === 'job:item' ? [{ item: event.item, ok: event.ok, code: event.error?.code }] : [],
  );
  return { error: error as BifractError | undefined, reported, context };
}

test('every item is reported, and one that fails does not stop the others', async () => {
  const { error, reported } = await run(['a', 'b', 'c'], async (item) => {
    if (item === 'b') throw new BifractError('NOT_FOUND', 'No such file: b');
    return { message: 'copied' };
  });
  assert.equal(error?.code, 'PARTLY_DONE');
  assert.deepEqual(reported, [
    { item: 'a', ok: true, code: undefined },
    { item: 'b', ok: false, code: 'NOT_FOUND' },
    { item: 'c', ok: true, code: undefined },
  ]);
});

test('an outcome with an error counts as a failure, with its details', async () => {
  const outcome = {
    message: 'damaged',
    error: { code: 'DAMAGED', message: 'damaged' },
    details: { rows: 1 },
  } as const;
  const { error, context } = await run(['a'], async () => outcome);
  assert.equal(error?.code, 'DAMAGED');
  const [event] = context.events;
  assert.deepEqual(event?.event === 'job:item' && event.details, { rows: 1 });
});

test('skipped items do not count: if all others fail, the error is theirs', async () => {
  const { error, reported } = await run(['a', 'b'], async (item) => {
    if (item === 'a') return { message: 'nothing to do', skipped: true };
    throw new BifractError('NOT_FOUND', 'No such file: b');
  });
  assert.equal(error?.code, 'NOT_FOUND');
  assert.deepEqual(
    reported.map(({ ok }) => ok),
    [true, false],
  );
});

test('after an abort no further item is worked on, and the reason is thrown', async () => {
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'Cancelled');
  const worked: string[] = [];
  const emitted: string[] = [];
  const context = { signal: controller.signal, emit: (event: string) => void emitted.push(event) };
  await assert.rejects(
    forEachItem(
      ['a', 'b'],
      naming,
      async (item) => {
        worked.push(item);
        controller.abort(reason);
        throw new Error('connection closed');
      },
      context,
    ),
    reason,
  );
  assert.deepEqual([worked, emitted], [['a'], []]);
});
