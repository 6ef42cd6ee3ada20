import type { Claim } from '../policy/claims.ts';
import { GRANULARITIES, type Granularity, periodAt } from '../policy/periods.ts';
import { type Due, dueOf } from '../policy/schedule.ts';
import { soleStretches, surplusOf, type Unit } from '../policy/surplus.ts';
import type { ArchiveGroup, ArchiveRecord, Fractal } from '../ports/catalog.ts';
import type { CallOptions } from '../ports/types.ts';
import type { DueItem, DueQuery, ScheduleMode, SurplusItem } from '../schedule.ts';
import { type CoverageDeps, claimsOf } from './coverage.ts';

export interface PlanDueDeps extends CoverageDeps {
  now: Date;
}

/** What the schedules ask for now; see `ScheduleQueries`. */
export async function planDue(
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
    const own = {
      groups: byFractal.groups.get(fractal.id) ?? [],
      archives: byFractal.archives.get(fractal.id) ?? [],
    };
    const item = await itemOf(deps, fractal, own, mode, { signal });
    if (item.schedule !== 'never' || item.surplus.length > 0) items.push(item);
  }
  return items;
}

/** Scheduled archives of one fractal. */
interface Own {
  groups: ArchiveGroup[];
  archives: ArchiveRecord[];
}

function isScheduled({ archive_type }: { archive_type: string }): boolean {
  return archive_type === 'scheduled';
}

async function itemOf(
  deps: PlanDueDeps,
  fractal: Fractal,
  own: Own,
  asked: ScheduleMode | undefined,
  options: CallOptions,
): Promise<DueItem> {
  const alone = own.archives.filter(({ group_id }) => group_id === null);
  const due = dueOf(fractal.archive_schedule, [...own.groups, ...alone], deps.now);
  const split = GRANULARITIES.find((one) => one === fractal.archive_split) ?? 'none';
  const mode = asked ?? (isLimit(fractal.max_archives) ? 'full' : 'incremental');
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
    surplus: await surplusItems(deps, fractal, own, options),
  };
}

function isLimit(max: number | null): max is number {
  return max !== null && max >= 1;
}

/** A period that is not over would be archived again when it is. */
function endOf(split: Granularity, now: Date): string | null {
  return split === 'none' ? null : periodAt(split, now.toISOString()).from;
}

function reasonOf({ archive_schedule }: Fractal, due: Due): string {
  const tries = due.failures === 1 ? 'one try' : `${due.failures} tries`;
  if (due.due) {
    const since = `${archive_schedule}, none since ${due.since.slice(0, 'yyyy-mm-dd'.length)}`;
    return due.failures === 0 ? since : `${since}; ${tries} failed`;
  }
  switch (due.why) {
    case 'never':
      return 'no schedule';
    case 'unknown':
      return `its schedule "${archive_schedule}" is none that is known`;
    case 'done':
      return `${archive_schedule}, done; next from ${due.next}`;
    case 'running':
      return 'is being archived';
    case 'waiting':
      return `${tries} failed; tried again from ${due.next}`;
  }
}

async function surplusItems(
  deps: PlanDueDeps,
  { id, max_archives }: Fractal,
  own: Own,
  options: CallOptions,
): Promise<SurplusItem[]> {
  if (!isLimit(max_archives) || own.archives.length <= max_archives) return [];
  const claims = await claimsOf(deps, id, options);
  const { surplus } = surplusOf(unitsOf(own, claims), max_archives, deps.now);
  const going = new Set(surplus.flatMap((unit) => unit.claims));
  const left = claims.filter((claim) => !going.has(claim));
  const items: SurplusItem[] = [];
  for (const unit of surplus) items.push(await surplusItem(deps, id, unit, left, options));
  return items;
}

function unitsOf({ groups, archives }: Own, claims: readonly Claim[]): Unit[] {
  const byId = new Map(claims.map((claim) => [claim.archive_id, claim]));
  const claimsOf = (records: readonly ArchiveRecord[]) =>
    records.map(({ id }) => byId.get(id)).filter((claim) => claim !== undefined);
  const members = Map.groupBy(archives, ({ group_id }) => group_id);
  const alone = (members.get(null) ?? []).map(
    (record): Unit => unitOf('archive', record, [record], claimsOf),
  );
  return [...alone, ...groups.map((group) => unitOf('group', group, members.get(group.id) ?? [], claimsOf))];
}

function unitOf(
  kind: Unit['kind'],
  { id, created_at, status }: Pick<ArchiveGroup, 'id' | 'created_at' | 'status'>,
  records: readonly ArchiveRecord[],
  claimsOf: (records: readonly ArchiveRecord[]) => Claim[],
): Unit {
  const claims = claimsOf(records);
  return {
    kind,
    id,
    created_at,
    whole:
      (status === 'completed' || status === 'restoring') &&
      claims.length > 0 &&
      claims.length === records.length,
    active: records.some((record) => record.status === 'in_progress' || record.status === 'restoring'),
    claims,
  };
}

/** Retention takes no protection from a row that ClickHouse still has: it may be gone from there tomorrow. */
async function surplusItem(
  { logs }: PlanDueDeps,
  fractal_id: string,
  { kind, id, created_at, claims }: Unit,
  left: readonly Claim[],
  options: CallOptions,
): Promise<SurplusItem> {
  let rows = 0;
  for (const { from, to } of soleStretches(claims, left)) {
    const window = { fractal_id, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    rows += (await logs.stats(window, options)).rows;
  }
  return {
    kind,
    id,
    created_at,
    files: claims.length,
    action: rows > 0 ? 'keep' : 'delete',
    reason: rows > 0 ? `ClickHouse has ${rows} rows of it that no later archive holds` : null,
  };
}
