import { generateKey, parseKey } from '../../src/core/format/index.ts';
import type { InstallationInfo, Services } from '../../src/core/ports/services.ts';
import type { Storage } from '../../src/core/ports/storage.ts';
import { FakeCatalog, FakeLogs, FakeState } from './fake-ports.ts';
import { MemoryStorage } from './memory-storage.ts';

const INSTALLATION: InstallationInfo = {
  dir: '/opt/bifract',
  key_id: null,
  storage: 'memory',
  read_only: false,
  version: '1.0.0',
};

/** The services that an archive of `rows` rows, `step` seconds apart, uses; and its key in hex. */
export function archiveParts<Archives extends Storage = MemoryStorage>(
  rows: number,
  {
    step = 1,
    archives = new MemoryStorage() as Storage as Archives,
  }: { step?: number; archives?: Archives } = {},
) {
  const hex = generateKey();
  const parts = {
    installation: INSTALLATION,
    archive_limits: {
      max_memory: 1e9,
      max_duration_ms: 60_000,
      max_error_time_ms: 60_000,
      first_wait_ms: 1,
    } as Services['archive_limits'],
    catalog: new FakeCatalog(),
    logs: new FakeLogs(rows, step),
    archives,
    state: new FakeState(),
    key: parseKey(hex),
  };
  return { parts, hex };
}
