import type { JobEventMap } from '../contract/events.ts';
import type { KeepRule, PrunePlan, RotatePlan, UpkeepJobRequest } from '../contract/upkeep.ts';
import { planPrune as computePrunePlan } from '../features/backup/plan-prune.ts';
import { prune } from '../features/backup/prune.ts';
import { planRotate as computeRotatePlan } from '../features/keys/plan.ts';
import { rotateKey } from '../features/keys/rotate.ts';
import type { JobContext } from '../job/context.ts';
import type { CallOptions } from '../ports/types.ts';
import type { Services } from './services.ts';

/** Plans retention on an installation's services; see `UpkeepQueries`. */
export async function planPrune(
  services: Services,
  rule: KeepRule,
  options?: CallOptions,
): Promise<PrunePlan> {
  const [storage, keys] = await Promise.all([services.backups(), services.keys()]);
  return computePrunePlan({ storage, keys, now: services.now() }, rule, options);
}

/** Plans a key rotation; see `UpkeepQueries`. */
export async function planRotate(services: Services, options?: CallOptions): Promise<RotatePlan> {
  const [backups, archives, keys] = await Promise.all([
    services.backups(),
    services.archives(),
    services.keys(),
  ]);
  return computeRotatePlan({ backups, archives, keys, now: services.now() }, options);
}

/** Runs a planned retention or key rotation. */
export async function runUpkeepJob(services: Services, request: UpkeepJobRequest, context: JobContext) {
  const { state } = services;
  if (request.kind === 'prune')
    return prune({ storage: await services.backups(), state }, request.plan, context);
  const [backups, archives] = await Promise.all([services.backups(), services.archives()]);
  return rotateKey(
    {
      backups,
      archives,
      state,
      catalog: () => services.catalog(),
      keys: () => services.keys(),
      replaceKey: () => services.replaceKey(),
    },
    request.plan,
    context,
  );
}

export function upkeepStarted(request: UpkeepJobRequest): JobEventMap['job:started'] {
  if (request.kind === 'prune') {
    const deleted = request.plan.items.filter(({ action }) => action === 'delete').length;
    return { kind: 'prune', title: `Retention: delete ${deleted} of ${request.plan.items.length} backups` };
  }
  return { kind: 'rotate-key', title: 'Rotation of the encryption key' };
}
