import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { DueItem, ExcessItem } from '../../../../src/core/features/schedule/contract.ts';
import { type RunDueDeps, runDue } from '../../../../src/core/features/schedule/run.ts';
import { refuses } from '../../../contracts/storage.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';

function item(name: string, given: Partial<DueItem> = {}): DueItem {
  return {
    fractal_id: `id-${name}`,
    fractal_name: name,
    schedule: 'daily',
    split: 'none',
    max_archives: null,
    action: 'archive',
    reason: 'daily, none since 2026-03-01',
    mode: 'incremental',
    to: null,
    failures: 0,
    next: null,
    surplus: [],
    ...given,
  };
}

function excessItem(id: string, given: Partial<ExcessItem> = {}): ExcessItem {
  return {
    kind: 'group',
    id,
    created_at: '2026-01-01T00:00:00Z',
    files: 1,
    action: 'delete',
    reason: null,
    ...given,
  };
}

/** The dependencies of a run, and what it did. */
function setUp(items: DueItem[], given: Partial<RunDueDeps> = {}) {
  const archived: string[] = [];
  const removed: string[] = [];
  const state = new FakeState();
  const deps: RunDueDeps = {
    state,
    planDue: async ({ fractal_id }) => items.filter((one) => !fractal_id || one.fractal_id === fractal_id),
    archive: async ({ fractal_name }, { emit }) => {
      archived.push(fractal_name);
      emit('job:progress', { rows: 10, bytes_in: 100, bytes_out: 5 });
      return { log_count: 10, size_bytes: 5, files: 1 };
    },
    remove: async (targets) => {
      removed.push(...targets.map(({ id }) => id));
      return { deleted: targets.length, freed_bytes: 7 };
    },
    ...given,
  };
  return { deps, state, archived, removed, context: jobContext() };
}

const itemsOf = ({ events }: ReturnType<typeof jobContext>) =>
  events.filter((one) => one.event === 'job:item');

test('what is due is archived, the rest is skipped, and each has a reason', async () => {
  const skipped = item('dns', { action: 'skip', reason: 'daily, done; next due 2026-03-02T00:00:00.000Z' });
  const { deps, state, archived, context } = setUp([item('web'), skipped, item('vpn')]);
  const summary = await runDue(deps, {}, context);
  assert.deepEqual(archived, ['web', 'vpn']);
  const items = itemsOf(context);
  const outcomes = items.map(({ item, ok, details }) => [
    item,
    ok,
    details?.action,
    details?.rows,
    details?.files,
  ]);
  assert.deepEqual(outcomes, [
    ['web', true, 'archived', 10, 1],
    ['dns', true, 'skipped', 0, 0],
    ['vpn', true, 'archived', 10, 1],
  ]);
  assert.ok(items[0]?.message?.includes('daily, none since 2026-03-01'));
  assert.ok(items[1]?.message?.includes('daily, done; next due 2026-03-02'));
  assert.deepEqual([summary.archived, summary.skipped, summary.rows, summary.size_bytes], [2, 1, 20, 10]);
  assert.equal(state.records.size, 0);
  const rows = context.events.flatMap((one) => (one.event === 'job:progress' ? [one.rows] : []));
  assert.deepEqual(rows, [10, 20], 'counts never decrease');
});

test('a failure does not stop the others: partly done, and named', async () => {
  const { deps, archived, context } = setUp([item('web'), item('vpn')]);
  const { archive } = deps;
  deps.archive = async (one, context) => {
    if (one.fractal_name === 'web') throw new BifractError('STORAGE_FULL', 'The disk is full');
    return archive(one, context);
  };
  const run = runDue(deps, {}, context);
  await refuses('PARTLY_DONE', run);
  await assert.rejects(run, /1 of 2 .*web: The disk is full/);
  assert.deepEqual(archived, ['vpn']);
  const [failed] = itemsOf(context);
  assert.deepEqual([failed?.item, failed?.ok, failed?.error?.code], ['web', false, 'STORAGE_FULL']);
});

test('if all fail, the error is theirs', async () => {
  const { deps, context } = setUp([item('web'), item('dns', { action: 'skip' })]);
  deps.archive = () => Promise.reject(new BifractError('CLICKHOUSE_UNREACHABLE', 'No answer'));
  await refuses('CLICKHOUSE_UNREACHABLE', runDue(deps, {}, context));
});

test('a fractal in use, or archived meanwhile, is skipped', async () => {
  const busy = setUp([item('web')], {
    archive: () => Promise.reject(new BifractError('BUSY', 'web is being archived')),
  });
  assert.equal((await runDue(busy.deps, {}, busy.context)).skipped, 1);
  const [skipped] = itemsOf(busy.context);
  assert.deepEqual([skipped?.item, skipped?.ok, skipped?.details?.action], ['web', true, 'skipped']);
  assert.ok(skipped?.message?.includes('web is being archived'));

  const late = setUp([item('web')]);
  const { planDue } = late.deps;
  late.deps.planDue = async (query) => {
    const items = await planDue(query);
    return query.fractal_id ? items.map((one) => ({ ...one, action: 'skip', reason: 'daily, done' })) : items;
  };
  assert.equal((await runDue(late.deps, {}, late.context)).skipped, 1);
  assert.deepEqual(late.archived, []);
});

test('retention follows the archive, even if none was due; kept archives are reported', async () => {
  const surplus = [
    excessItem('a'),
    excessItem('b', { action: 'keep', reason: 'ClickHouse has 5 rows of it' }),
  ];
  const { deps, removed, context } = setUp([
    item('web', { max_archives: 2, surplus }),
    item('dns', { action: 'skip', max_archives: 1, surplus: [excessItem('c')] }),
    item('vpn', { max_archives: null, surplus: [excessItem('never')] }),
  ]);
  const summary = await runDue(deps, {}, context);
  assert.deepEqual(removed, ['a', 'c']);
  assert.deepEqual([summary.deleted, summary.freed_bytes], [2, 14]);
  assert.match(
    itemsOf(context)[0]?.message ?? '',
    /2026-01-01T00:00:00Z.*ClickHouse has 5 rows of it.*\b1\b.*max_archives 2/,
  );
});

test('nothing is deleted after a failed archive', async () => {
  const { deps, removed, context } = setUp([item('web', { max_archives: 1, surplus: [excessItem('a')] })]);
  deps.archive = () => Promise.reject(new BifractError('COUNT_DIFFERS', 'ClickHouse counts 3 rows'));
  await refuses('COUNT_DIFFERS', runDue(deps, {}, context));
  assert.deepEqual(removed, []);
});

test('of two concurrent runs, the later one ends as a conflict', async () => {
  const { deps, state, archived, context } = setUp([item('web')]);
  await state.save({ id: 'run-due-other', kind: 'run-due', started_at: '2026-03-01T12:00:00Z' });
  await refuses('BUSY', runDue(deps, {}, context));
  assert.deepEqual(archived, []);
  assert.deepEqual([...state.records.keys()], ['run-due-other']);
  await state.save({ id: 'run-due-other', kind: 'run-due', started_at: '2026-03-01T13:00:00Z' });
  assert.equal((await runDue(deps, {}, jobContext())).archived, 1);
});

test('a cancelled run ends with its reason', async () => {
  const controller = new AbortController();
  const { deps, archived, state } = setUp([item('web'), item('vpn')]);
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  const { archive } = deps;
  deps.archive = async (one, context) => {
    const made = await archive(one, context);
    controller.abort(reason);
    return made;
  };
  await assert.rejects(runDue(deps, {}, jobContext(controller.signal)), (error) => error === reason);
  assert.deepEqual(archived, ['web']);
  assert.equal(state.records.size, 0);
});

test('no new rows is reported, and counts as no archive', async () => {
  const { deps, context } = setUp([item('web'), item('full', { mode: 'full' })], {
    archive: async () => ({ log_count: 0, size_bytes: 0, files: 0 }),
  });
  const summary = await runDue(deps, {}, context);
  assert.equal(summary.archived, 0);
  assert.deepEqual(
    itemsOf(context).map(({ item, ok, details }) => [item, ok, details?.action]),
    [
      ['web', true, 'nothing'],
      ['full', true, 'nothing'],
    ],
  );
});
