import { fileLabel, parsePeriodLabel, type Split } from '../../policy/names.ts';
import { GRIDS, periodAt } from '../../policy/periods.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type CoverageDeps, evidenceAndCounts } from '../coverage/coverage.ts';
import { evaluateCells } from '../coverage/evaluate.ts';
import type { Cell } from '../coverage/periods.ts';
import type { ArchiveWindow, WindowPlan } from './windows.ts';

/**
 * Limits a plan to what no complete archive has yet: the periods with any such row, or for an unsplit archive
 * everything from the first such row on.
 */
export async function selectUncovered(
  deps: CoverageDeps,
  fractal_id: string,
  plan: WindowPlan,
  options: CallOptions = {},
): Promise<WindowPlan> {
  const [first] = plan.windows;
  if (!first) return plan;
  const split = splitOf(first);
  const grid = GRIDS[split ?? 'day'];
  const { evidence, counts } = await evidenceAndCounts(deps, { fractal_id, grid }, options);
  const unprotected = evaluateCells(evidence, counts).cells.filter((cell) => cell.unprotected > 0);
  if (split === undefined)
    return {
      ...plan,
      windows: await windowFromFirstUnprotected(deps, fractal_id, first, unprotected, options),
    };
  const periods = new Set(unprotected.map(({ period }) => period));
  const isUnprotected = ({ from = '' }: ArchiveWindow) => periods.has(Date.parse(periodAt(split, from).from));
  return { ...plan, windows: plan.windows.filter(isUnprotected) };
}

function splitOf({ label }: ArchiveWindow): Split | undefined {
  if (label === null) return undefined;
  const { split } = parsePeriodLabel(fileLabel(label));
  return split === 'none' ? undefined : split;
}

async function windowFromFirstUnprotected(
  { logs }: CoverageDeps,
  fractal_id: string,
  window: ArchiveWindow,
  unprotected: readonly Cell[],
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const [begin, end] = [Date.parse(window.from ?? '') || Number.NEGATIVE_INFINITY, Date.parse(window.to)];
  const start = unprotected.reduce((earliest, cell) => Math.min(earliest, cell.first_unprotected), end);
  if (start >= end) return [];
  if (start <= begin) return [window];
  const from = new Date(start).toISOString();
  const { rows } = await logs.stats({ fractal_id, from, to: window.to }, options);
  return rows > 0 ? [{ ...window, from, rows }] : [];
}
