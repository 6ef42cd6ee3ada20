/**
 * Preloaded into every test file: a process that is still alive a while after its tests prints what keeps it running
 * and fails. Without this, a test that times out on an open handle would block the whole run.
 */
import { after, afterEach, beforeEach } from 'node:test';
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 60_000;

const isTestFile = /\.test\.tsx?$/.test(process.argv[1] ?? '');
if (process.env.NODE_TEST_CONTEXT && isMainThread && isTestFile) {
  let finished = false;
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(fail, GRACE_MS).unref();
  };
  // A file that awaits something between its tests registers more of them after this.
  after(() => {
    finished = true;
    start();
  });
  beforeEach(() => clearTimeout(timer));
  afterEach(() => {
    if (finished) start();
  });
}

function fail() {
  const resources = process.getActiveResourcesInfo().join(', ');
  console.error(`${process.argv[1]} is still running after its tests. Active resources: ${resources}`);
  process.exit(1);
}
