import type { JobEvent } from '../contract/events.ts';
import type { JobBus } from '../ports/job-bus.ts';
import type { JobLauncher } from '../ports/job-launcher.ts';
import type { Services } from '../ports/services.ts';

/** What the engine needs besides the services of features: it runs jobs in other processes and sees theirs. */
export interface EngineServices extends Services {
  /** Publishes jobs to other processes. */
  readonly jobBus: JobBus<JobEvent>;
  readonly launcher: JobLauncher;
}
