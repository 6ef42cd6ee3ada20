import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { untilAbort } from '../../../src/core/adapters/abort.ts';

/** Yields what it is given and then waits; knows whether it was told to end. */
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

test('passes on what comes, with one listener for all of it, and none afterwards', async () => {
  const { signal } = new AbortController();
  const { state, values } = source([1, 2, 3], done);
  const listeners: number[] = [];
  for await (const _ of untilAbort(values, signal)) listeners.push(getEventListeners(signal, 'abort').length);
  assert.deepEqual(listeners, [1, 1, 1]);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(state.ended, false);
  assert.deepEqual(await drain(untilAbort(source([4, 5], done).values, undefined)), [4, 5]);
});

test('an abort ends the wait for a source that never answers; the source is told', async () => {
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

test('an abort before the first step, or between two, is met at the next one', async () => {
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

test('the error of a source is thrown, and whoever stops early ends the source', async () => {
  const { signal } = new AbortController();
  const failure = new Error('broken');
  await assert.rejects(drain(untilAbort(source([1], () => Promise.reject(failure)).values, signal)), failure);
  const stopped = source([1, 2], never);
  for await (const value of untilAbort(stopped.values, signal)) if (value === 1) break;
  assert.ok(stopped.state.ended);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
