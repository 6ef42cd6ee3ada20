import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServices } from './services.ts';

test('each test file gets its own databases with empty tables', async () => {
  const services = await testServices();
  const [row] = await services.sql('SELECT count(*) AS count FROM fractals');
  assert.equal(row?.count, '0');
  assert.equal(
    await services.ch('SELECT count() FROM logs WHERE fractal_id = {id:String}', { id: 'x' }),
    '0\n',
  );
  const other = await testServices();
  assert.notEqual(other.postgres.database, services.postgres.database);
});
