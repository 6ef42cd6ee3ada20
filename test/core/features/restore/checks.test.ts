import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Findings, findWarnings } from '../../../../src/core/features/restore/checks.ts';

const TABLE = { schema: 'public', name: 'notes', rows_backup: null, rows_now: 5, where: 'database' } as const;

test('little disk space does not hide what a restore would drop', () => {
  const found: Partial<Findings> = {
    query: { file: 'backup', target: { kind: 'live' } },
    manifest: { version: '', timestamp: '', checksum: '' } as unknown as Findings['manifest'],
    summary: { sealed: true } as Findings['summary'],
    contents: { server_version: null, database: null } as Findings['contents'],
    server: { version: '15.3', extensions: [] } as unknown as Findings['server'],
    replaces: {} as Findings['replaces'],
    tables: [TABLE],
    space: { needed_bytes: 2, free_bytes: 1 },
    missing_roles: [],
    properties: { saved: undefined, now: undefined },
    archive_files: null,
  };
  const warnings = findWarnings(found as Findings).join('\n');
  assert.match(warnings, /not have enough disk space/);
  assert.match(warnings, /will be dropped: public\.notes/);
});
