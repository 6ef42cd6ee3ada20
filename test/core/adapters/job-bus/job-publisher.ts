/** A process that publishes a job and never ends: to be killed. Arguments: installation, first event, `progress` to keep sending. */
import { FolderJobBus } from '../../../../src/core/adapters/job-bus/job-bus.ts';
import type { JobEvent } from '../../../../src/core/contract/events.ts';

const [install = '', text = '', mode] = process.argv.slice(2);
const started = JSON.parse(text) as JobEvent;
const job = await new FolderJobBus(install, () => undefined).publish(started.job, {
  onCancel: () => undefined,
  onJournalError: () => undefined,
});
job.add(started);
let rows = 0;
setInterval(() => {
  if (mode === 'progress')
    job.add({ event: 'job:progress', job: started.job, time: started.time, rows: ++rows });
}, 2);
