import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeName, type Named } from '../../bin/complete-name.ts';
import type { Session } from '../../bin/session.ts';
import type { ArchiveGroup, ArchiveRecord, BackupFile, Engine } from '../../src/core/index.ts';

const ARCHIVES = [
  { id: 'aaaaaaaa-1111-4000-8000-000000000001', status: 'in_progress' },
  { id: 'aaaaaaaa-2222-4000-8000-000000000002', status: 'completed' },
  { id: 'bbbbbbbb-0000-4000-8000-000000000003', status: 'completed' },
] as ArchiveRecord[];
const GROUPS = [{ id: 'bbbbbbbb-9999-4000-8000-000000000009' }] as ArchiveGroup[];
const BACKUPS = [
  'bifract-backup-20260302-020000.bifract-backup',
  'bifract-backup-20260301-020000.bifract-backup',
].map((name) => ({ name }) as BackupFile);

function complete(
  text: string,
  named: Named[],
  lists: Partial<Record<'archives' | 'backups' | 'groups', object[]>> = {},
) {
  const { archives = ARCHIVES, backups = BACKUPS, groups = GROUPS } = lists;
  const engine = {
    archives: async () => archives,
    backups: async () => backups,
    groups: async () => groups,
  } as unknown as Engine;
  return completeName({ engine, signal: new AbortController().signal } as Session, text, ...named);
}

test('latest is the newest backup where backups are meant, else the newest complete archive or group', async () => {
  assert.equal(await complete('latest', ['backup', 'archive']), BACKUPS[0]?.name);
  assert.equal(await complete('latest', ['archive']), ARCHIVES[1]?.id);
  assert.equal(await complete('latest', ['group']), GROUPS[0]?.id);
  await assert.rejects(complete('latest', ['backup'], { backups: [] }), { code: 'NOT_FOUND' });
  await assert.rejects(complete('latest', ['archive'], { archives: [] }), { code: 'NOT_FOUND' });
});

test('the start of an ID stands for it, and several are refused', async () => {
  assert.equal(await complete('aaaaaaaa-1', ['archive']), ARCHIVES[0]?.id);
  assert.equal(await complete('AAAAAAAA-2', ['archive']), ARCHIVES[1]?.id);
  assert.equal(await complete('bbbbbbbb', ['archive']), ARCHIVES[2]?.id);
  for (const [text, named] of [
    ['aaaaaaaa', ['archive']],
    ['bbbbbbbb', ['archive', 'group']],
  ] as const)
    await assert.rejects(complete(text, [...named]), {
      code: 'USAGE',
      hint: new RegExp(`${text}-.*${text}-`),
    });
});

test('a name may lack its suffix', async () => {
  const archive = 'aaaaaaaa-1111-4000-8000-000000000001-2026-03-01-20260302-020000';
  assert.equal(await complete('bifract-backup-20260301-020000', ['backup']), BACKUPS[1]?.name);
  assert.equal(await complete(archive, ['archive']), `${archive}.bifract-archive`);
});

test('everything else is left as it is', async () => {
  const texts = [
    ...['aaaaaaa', 'cccccccc', 'aaaaaaaa-1111-4000-8000-000000000001', 'aaaaaaaa_', 'Latest', './latest', ''],
    ...['bifract-backup-20260230-020000', 'x/bifract-backup-20260301-020000', BACKUPS[0]?.name ?? ''],
  ];
  for (const text of texts) assert.equal(await complete(text, ['backup', 'archive', 'group']), text);
});
