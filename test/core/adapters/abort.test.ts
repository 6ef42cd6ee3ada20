import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { untilAbort } from '../../../src/core/adapters/abort.ts';

/** Yields the values, then calls `last`; records whether it was closed. */
function source(values: number[], last: () => Promise<IteratorResult<number>>) {
  const left = [...values];
  const state = { ended: false };
  const iterator: AsyncIterator<number> = {
    next: () => {
      const value = left.shift();
      return value === undefined ? last() : Promise.resolve({ value, done: false });
    },
    return: () => {
      state.ended = true;
      return Promise.resolve({ value: undefined, done: true });
    },
  };
  return { state, values: { [Symbol.asyncIterator]: () => iterator } };
}

const never = () => new Promise<IteratorResult<number>>(() => undefined);
const done = () => Promise.resolve({ value: undefined, done: true as const });

async function drain(values: AsyncIterable<number>, seen: number[] = []): Promise<number[]> {
  for await (const value of values) seen.push(value);
  return seen;
}

test('passes values on with a single listener, and removes it at the end', async () => {
  const { signal } = new AbortController();
  const { state, values } = source([1, 2, 3], done);
  const listeners: number[] = [];
  for await (const _ of untilAbort(values, signal)) listeners.push(getEventListeners(signal, 'abort').length);
  assert.deepEqual(listeners, [1, 1, 1]);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(state.ended, false);
  assert.deepEqual(await drain(untilAbort(source([4, 5], done).values, undefined)), [4, 5]);
});

test('an abort ends the wait for a hanging source and closes it', async () => {
  const controller = new AbortController();
  const { state, values } = source([1], never);
  const seen: number[] = [];
  const drained = drain(untilAbort(values, controller.signal), seen);
  const reason = new Error('enough');
  setImmediate(() => controller.abort(reason));
  await assert.rejects(drained, reason);
  assert.deepEqual(seen, [1]);
  assert.ok(state.ended);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

test('an abort before the first step or between two steps is thrown at the next one', async () => {
  const reason = new Error('enough');
  const early = source([1], done);
  await assert.rejects(drain(untilAbort(early.values, AbortSignal.abort(reason))), reason);
  assert.ok(early.state.ended);
  const controller = new AbortController();
  const seen: number[] = [];
  const between = source([1, 2], done);
  await assert.rejects(async () => {
    for await (const value of untilAbort(between.values, controller.signal)) {
      seen.push(value);
      controller.abort(reason);
    }
  }, reason);
  assert.deepEqual(seen, [1]);
  assert.ok(between.state.ended);
});

test('the error of a source is thrown, and stopping early closes the source', async () => {
  const { signal } = new AbortController();
  const failure = new Error('broken');
  await assert.rejects(drain(untilAbort(source([1], () => Promise.reject(failure)).values, signal)), failure);
  const stopped = source([1, 2], never);
  for await (const value of untilAbort(stopped.values, signal)) if (value === 1) break;
  assert.ok(stopped.state.ended);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
