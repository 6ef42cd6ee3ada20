import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLoadCache, createShownCache } from '../../../src/components/state/load-cache.ts';

/** A query whose calls are answered by the test, in order. */
function manualQuery() {
  const calls: (PromiseWithResolvers<string> & { key: string })[] = [];
  const query = (key: string) => {
    const call = { key, ...Promise.withResolvers<string>() };
    calls.push(call);
    return call.promise;
  };
  return { calls, query };
}

test('a load during a load makes another one follow', async () => {
  const { calls, query } = manualQuery();
  const cache = createLoadCache(query, () => {});
  cache.load('a');
  cache.load('a');
  cache.load('a');
  assert.equal(calls.length, 1);
  calls[0]?.resolve('old');
  await setImmediate();
  assert.equal(calls.length, 2);
  calls[1]?.resolve('new');
  await setImmediate();
  assert.equal(cache.state().get('a')?.value, 'new');
  assert.equal(calls.length, 2);
});

test('the last value is kept along with an error, and the same error is reported once', async () => {
  const { calls, query } = manualQuery();
  const failed: string[] = [];
  const cache = createLoadCache(query, (key?: string) => void (key && failed.push(key)));
  cache.load('a');
  calls[0]?.resolve('value');
  await setImmediate();
  for (const index of [1, 2]) {
    cache.load('a');
    calls[index]?.reject(new Error('gone'));
    await setImmediate();
  }
  const { value, error, loading } = cache.state().get('a') ?? {};
  assert.deepEqual([value, error?.message, loading], ['value', 'gone', false]);
  assert.deepEqual(failed, ['a']);
});

test('what is shown is loaded once; a refresh reloads it and drops the rest', async () => {
  const { calls, query } = manualQuery();
  const cache = createShownCache(query, () => {});
  for (const target of ['a', 'a', 'b']) cache.show(target);
  for (const call of calls) call.resolve(call.key);
  await setImmediate();
  assert.deepEqual([...cache.state().keys()], ['a', 'b']);
  cache.refresh();
  assert.deepEqual(
    calls.map(({ key }) => key),
    ['a', 'b', 'b'],
  );
  assert.deepEqual([...cache.state().keys()], ['b']);
});

test('nothing changes after the cache was closed', async () => {
  const { calls, query } = manualQuery();
  let changes = 0;
  const cache = createLoadCache(query, () => void changes++);
  cache.load('a');
  cache.close();
  const before = changes;
  calls[0]?.resolve('late');
  await setImmediate();
  assert.equal(changes, before);
  assert.equal(cache.state().get('a')?.value, undefined);
});
