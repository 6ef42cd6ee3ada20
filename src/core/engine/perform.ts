import { BifractError, readOnly } from '../contract/errors.ts';
import type { JobEventMap } from '../contract/events.ts';
import { withAudit } from '../job/audited.ts';
import type { JobContext } from '../job/context.ts';
import type { JobType } from '../job/job-type.ts';
import { type JobRequest, jobTypeOf } from './jobs.ts';
import { recoverAll } from './recover-all.ts';
import type { EngineServices } from './services.ts';

/** Runs a job and returns its summary. Recovers interrupted jobs first. */
export async function perform(
  services: EngineServices,
  request: JobRequest,
  context: JobContext,
): Promise<object> {
  const type = typeOf(request);
  if (type.readsOnly) return type.run(services, request, context);
  if (services.installation.read_only) throw readOnly();
  // Without a key no job begins that would change something.
  await services.key();
  await recoverAll(services, request, { signal: context.signal });
  const run = (own: JobContext) => type.run(services, request, own);
  const what = type.destroys(request);
  if (!what) return run(context);
  return withAudit(services.audit, { kind: request.kind, title: type.title(request), what }, context, run);
}

/** The `job:started` payload. */
export function startedEvent(request: JobRequest): JobEventMap['job:started'] {
  const type = typeOf(request);
  const target = type.target?.(request);
  return { kind: request.kind, title: type.title(request), ...(target ? { target } : {}) };
}

function typeOf(request: JobRequest): JobType<object, object> {
  const type = jobTypeOf(request);
  if (type) return type;
  throw new BifractError('USAGE', `Unknown kind of job: ${request.kind}`);
}
