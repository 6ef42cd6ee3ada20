import { dayOf, GRANULARITIES, type Granularity, periodAt } from '../../policy/periods.ts';
import type { ArchiveGroup, ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { formatStamp } from '../../text/time.ts';
import type { CoverageServices } from '../coverage/coverage.ts';
import { type ArchiveEvidence, collectEvidence } from '../coverage/evidence.ts';
import type { DueItem, DueQuery, ExcessItem, ScheduleMode } from './contract.ts';
import { checkDue, type Due } from './due.ts';
import { findExcess, type RetentionUnit, spansCoveredOnlyBy } from './excess.ts';

type PlanDueServices = CoverageServices & Pick<Services, 'now'>;

/** Plans what the schedules require now; see `ScheduleQueries`. */
export async function planDue(
  services: PlanDueServices,
  { mode, fractal_id, signal }: DueQuery = {},
): Promise<DueItem[]> {
  const catalog = await services.catalog();
  const filter = fractal_id === undefined ? {} : { fractal_id };
  const [fractals, groups, archives] = await Promise.all([
    catalog.fractals({ signal }),
    catalog.groups(filter, { signal }),
    catalog.archives(filter, { signal }),
  ]);
  const groupsOf = Map.groupBy(groups.filter(isScheduled), (group) => group.fractal_id);
  const archivesOf = Map.groupBy(archives.filter(isScheduled), (record) => record.fractal_id);
  const items: DueItem[] = [];
  for (const fractal of fractals) {
    const { id } = fractal;
    if (fractal_id !== undefined && id !== fractal_id) continue;
    const scheduled = { groups: groupsOf.get(id) ?? [], archives: archivesOf.get(id) ?? [] };
    const item = await planFractal(services, fractal, scheduled, mode, { signal });
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

async function planFractal(
  services: PlanDueServices,
  fractal: Fractal,
  scheduled: ScheduledArchives,
  requested: ScheduleMode | undefined,
  options: CallOptions,
): Promise<DueItem> {
  const now = services.now();
  const ungrouped = scheduled.archives.filter(({ group_id }) => group_id === null);
  const due = checkDue(fractal.archive_schedule, [...scheduled.groups, ...ungrouped], now);
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
    to: mode === 'full' ? null : endOf(split, now),
    failures: due.failures,
    next: due.due ? null : due.next,
    surplus: await planRetention(services, fractal, scheduled, options),
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
    const since = `${archive_schedule}; no scheduled archive since ${dayOf(due.since)}`;
    return due.failures === 0 ? since : `${since}; ${attempts} failed`;
  }
  switch (due.reason) {
    case 'never':
      return 'no schedule';
    case 'unknown':
      return `unknown schedule "${archive_schedule}"`;
    case 'done':
      return `${archive_schedule}, done; next due ${formatStamp(due.next)}Z`;
    case 'running':
      return 'archive in progress';
    case 'waiting':
      return `${attempts} failed; next attempt at ${formatStamp(due.next)}Z`;
  }
}

/** The scheduled archives of a fractal that exceed `max_archives`. */
async function planRetention(
  services: PlanDueServices,
  { id, max_archives }: Fractal,
  scheduled: ScheduledArchives,
  options: CallOptions,
): Promise<ExcessItem[]> {
  if (!isLimit(max_archives) || scheduled.archives.length <= max_archives) return [];
  const evidence = await collectEvidence(services, id, options);
  const { excess } = findExcess(unitsOf(scheduled, evidence), max_archives, services.now());
  const removed = new Set(excess.flatMap((unit) => unit.evidence));
  const remaining = evidence.filter((entry) => !removed.has(entry));
  const items: ExcessItem[] = [];
  for (const unit of excess) items.push(await excessItem(services, id, unit, remaining, options));
  return items;
}

function unitsOf(
  { groups, archives }: ScheduledArchives,
  evidence: readonly ArchiveEvidence[],
): RetentionUnit[] {
  const byId = new Map(evidence.map((entry) => [entry.archive_id, entry]));
  const members = Map.groupBy(archives, ({ group_id }) => group_id);
  const ungrouped = members.get(null) ?? [];
  return [
    ...ungrouped.map((record) => unitOf('archive', record, [record], byId)),
    ...groups.map((group) => unitOf('group', group, members.get(group.id) ?? [], byId)),
  ];
}

function unitOf(
  kind: RetentionUnit['kind'],
  { id, created_at, status }: Pick<ArchiveGroup, 'id' | 'created_at' | 'status'>,
  records: readonly ArchiveRecord[],
  byId: ReadonlyMap<string, ArchiveEvidence>,
): RetentionUnit {
  const evidence = records.map((record) => byId.get(record.id)).filter((entry) => entry !== undefined);
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
  services: PlanDueServices,
  fractal_id: string,
  { kind, id, created_at, evidence }: RetentionUnit,
  remaining: readonly ArchiveEvidence[],
  options: CallOptions,
): Promise<ExcessItem> {
  const logs = await services.logs();
  let rows = 0;
  for (const { from, to } of spansCoveredOnlyBy(evidence, remaining)) {
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
