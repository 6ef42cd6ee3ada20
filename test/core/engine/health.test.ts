import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHealth } from '../../../src/core/engine/health.ts';
import { describeRelease } from '../../../src/core/policy/release.ts';
import type { ShapeOptions } from '../../../src/core/ports/types.ts';
import { FakeCatalog, FakeLogs, LOGS_SHAPE, RECORDS_SHAPE } from '../../helpers/fake-ports.ts';
import { fakeServices } from '../../helpers/fake-services.ts';

/** As adapters do, keeps what it has read until it is asked to read again. */
function kept<Shape>(before: Shape, after: Shape): (options?: ShapeOptions) => Promise<Shape> {
  return async (options = {}) => (options.again ? after : before);
}

test('the release is the current one, even if the server was upgraded during the session', async () => {
  const [catalog, logs] = [new FakeCatalog(), new FakeLogs(0)];
  const upgraded = {
    records: { ...RECORDS_SHAPE, archives: 'console' as const },
    logs: { ...LOGS_SHAPE, raw_from: 'logs_raw' as const },
  };
  catalog.shape = kept(RECORDS_SHAPE, upgraded.records);
  logs.shape = kept(LOGS_SHAPE, upgraded.logs);
  const services = fakeServices({ catalog, logs, postgresLocation: 'here', clickhouseLocation: 'here' });
  const { release } = await checkHealth(services);
  assert.deepEqual(release, { ok: true, detail: describeRelease(upgraded) });
});
