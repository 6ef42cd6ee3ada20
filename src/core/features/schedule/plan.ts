import { GRANULARITIES, type Granularity, periodAt } from '../../policy/periods.ts';
import type { ArchiveGroup, ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type CoverageDeps, collectEvidence } from '../coverage/coverage.ts';
import type { ArchiveEvidence } from '../coverage/evidence.ts';
import type { DueItem, DueQuery, ExcessItem, ScheduleMode } from './contract.ts';
import { checkDue, type Due } from './due.ts';
import { findExcess, type RetentionUnit, soleSpans } from './excess.ts';

export interface PlanDueDeps extends CoverageDeps {
  now: Date;
}

/** Plans what the schedules require now; see `ScheduleQueries`. */
export async function buildDuePlan(
  deps: PlanDueDeps,
  { mode, fractal_id, signal }: DueQuery = {},
): Promise<DueItem[]> {
  const filter = fractal_id === undefined ? {} : { fractal_id };
  const [fractals, groups, archives] = await Promise.all([
    deps.catalog.fractals({ signal }),
    deps.catalog.groups(filter, { signal }),
    deps.catalog.archives(filter, { signal }),
  ]);
  const byFractal = {
    groups: Map.groupBy(groups.filter(isScheduled), (group) => group.fractal_id),
    archives: Map.groupBy(archives.filter(isScheduled), (record) => record.fractal_id),
  };
  const items: DueItem[] = [];
  for (const fractal of fractals) {
    if (fractal_id !== undefined && fractal.id !== fractal_id) continue;
    const scheduled = {
      groups: byFractal.groups.get(fractal.id) ?? [],
      archives: byFractal.archives.get(fractal.id) ?? [],
    };
    const item = await itemOf(deps, fractal, scheduled, mode, { signal });
    if (item.schedule !== 'never' || item.surplus.length > 0) items.push(item);
  }
  return items;
}

interface ScheduledArchives {
  groups: ArchiveGroup[];
  archives: ArchiveRecord[];
}

function isScheduled({ archive_type }: { archive_type: string }): boolean {
  return archive_type === 'scheduled';
}

async function itemOf(
  deps: PlanDueDeps,
  fractal: Fractal,
  scheduled: ScheduledArchives,
  requested: ScheduleMode | undefined,
  options: CallOptions,
): Promise<DueItem> {
  const ungrouped = scheduled.archives.filter(({ group_id }) => group_id === null);
  const due = checkDue(fractal.archive_schedule, [...scheduled.groups, ...ungrouped], deps.now);
  const split = GRANULARITIES.find((one) => one === fractal.archive_split) ?? 'none';
  const mode = requested ?? (isLimit(fractal.max_archives) ? 'full' : 'incremental');
  return {
    fractal_id: fractal.id,
    fractal_name: fractal.name,
    schedule: fractal.archive_schedule,
    split,
    max_archives: fractal.max_archives,
    action: due.due ? 'archive' : 'skip',
    reason: reasonOf(fractal, due),
    mode,
    to: mode === 'full' ? null : endOf(split, deps.now),
    failures: due.failures,
    next: due.due ? null : due.next,
    surplus: await excessItems(deps, fractal, scheduled, options),
  };
}

function isLimit(max: number | null): max is number {
  return max !== null && max >= 1;
}

/** The current period is excluded: it would have to be archived again. */
function endOf(split: Granularity, now: Date): string | null {
  return split === 'none' ? null : periodAt(split, now.toISOString()).from;
}

function reasonOf({ archive_schedule }: Fractal, due: Due): string {
  const attempts = due.failures === 1 ? '1 attempt' : `${due.failures} attempts`;
  if (due.due) {
    const since = `${archive_schedule}, none since ${due.since.slice(0, 'yyyy-mm-dd'.length)}`;
    return due.failures === 0 ? since : `${since}; ${attempts} failed`;
  }
  switch (due.reason) {
    case 'never':
      return 'no schedule';
    case 'unknown':
      return `unknown schedule "${archive_schedule}"`;
    case 'done':
      return `${archive_schedule}, done; next due ${due.next}`;
    case 'running':
      return 'archive in progress';
    case 'waiting':
      return `${attempts} failed; next attempt at ${due.next}`;
  }
}

async function excessItems(
  deps: PlanDueDeps,
  { id, max_archives }: Fractal,
  scheduled: ScheduledArchives,
  options: CallOptions,
): Promise<ExcessItem[]> {
  if (!isLimit(max_archives) || scheduled.archives.length <= max_archives) return [];
  const evidence = await collectEvidence(deps, id, options);
  const { excess } = findExcess(unitsOf(scheduled, evidence), max_archives, deps.now);
  const removed = new Set(excess.flatMap((unit) => unit.evidence));
  const remaining = evidence.filter((entry) => !removed.has(entry));
  const items: ExcessItem[] = [];
  for (const unit of excess) items.push(await excessItem(deps, id, unit, remaining, options));
  return items;
}

function unitsOf(
  { groups, archives }: ScheduledArchives,
  evidence: readonly ArchiveEvidence[],
): RetentionUnit[] {
  const byId = new Map(evidence.map((entry) => [entry.archive_id, entry]));
  const evidenceFor = (records: readonly ArchiveRecord[]) =>
    records.map(({ id }) => byId.get(id)).filter((entry) => entry !== undefined);
  const members = Map.groupBy(archives, ({ group_id }) => group_id);
  const ungrouped = (members.get(null) ?? []).map(
    (record): RetentionUnit => unitOf('archive', record, [record], evidenceFor),
  );
  return [
    ...ungrouped,
    ...groups.map((group) => unitOf('group', group, members.get(group.id) ?? [], evidenceFor)),
  ];
}

function unitOf(
  kind: RetentionUnit['kind'],
  { id, created_at, status }: Pick<ArchiveGroup, 'id' | 'created_at' | 'status'>,
  records: readonly ArchiveRecord[],
  evidenceFor: (records: readonly ArchiveRecord[]) => ArchiveEvidence[],
): RetentionUnit {
  const evidence = evidenceFor(records);
  return {
    kind,
    id,
    created_at,
    complete:
      (status === 'completed' || status === 'restoring') &&
      evidence.length > 0 &&
      evidence.length === records.length,
    active: records.some((record) => record.status === 'in_progress' || record.status === 'restoring'),
    evidence,
  };
}

/** An archive that alone protects rows still in ClickHouse is kept: they may expire there soon. */
async function excessItem(
  { logs }: PlanDueDeps,
  fractal_id: string,
  { kind, id, created_at, evidence }: RetentionUnit,
  remaining: readonly ArchiveEvidence[],
  options: CallOptions,
): Promise<ExcessItem> {
  let rows = 0;
  for (const { from, to } of soleSpans(evidence, remaining)) {
    const window = { fractal_id, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    rows += (await logs.stats(window, options)).rows;
  }
  return {
    kind,
    id,
    created_at,
    files: evidence.length,
    action: rows > 0 ? 'keep' : 'delete',
    reason: rows > 0 ? `${rows} of its rows in ClickHouse are in no later archive` : null,
  };
}
