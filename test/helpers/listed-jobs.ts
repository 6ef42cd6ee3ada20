import assert from 'node:assert/strict';
import { type Ended, ndjson, run } from './program.ts';

/** What `bifract jobs` says of a job, as far as tests look at it. */
export interface ListedJob {
  id: string;
  state: string;
  phase?: string;
  position: number | null;
  started_at: string | null;
  ended_at: string | null;
  unsettled: boolean;
  by: { pid: number; user: string };
}

/** Runs the program on an installation, and finds its jobs. */
export function listedJobs(dir: string) {
  const bifract = (...args: string[]): Promise<Ended> => run([...args, '--dir', dir]);
  const jobs = async () => ndjson<ListedJob>(await bifract('jobs', '--all', '--json'));
  const find = async (id: string) => {
    const found = (await jobs()).find((job) => job.id === id);
    assert.ok(found, `${id} is listed`);
    return found;
  };
  return { bifract, jobs, find };
}
