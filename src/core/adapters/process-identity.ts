import { readFile } from 'node:fs/promises';

/** Fields of `/proc/PID/stat` after the process's state, up to the start time. */
const START_FIELD = 19;

/** A process, told from any later one that is given the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own spelling. */
  start: string;
  /** Which run of the system it belongs to; empty where the system does not tell. */
  boot: string;
}

/** The process that has the id now; undefined where there is none. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const start = (await startFromProc(pid)) ?? (await startFromPs(pid));
  return start === undefined ? undefined : { pid, start, boot: await bootId() };
}

/** Whether that very process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid);
  return now !== undefined && now.start === identity.start && now.boot === identity.boot;
}

async function startFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  // The name stands in parentheses and may hold anything, parentheses too. A zombie has ended.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' || state === 'X' ? undefined : fields[START_FIELD - 1];
}

/** For systems without `/proc`. */
async function startFromPs(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return undefined;
  const { execa } = await import('execa');
  const env = { LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], {
    env,
    reject: false,
    stdin: 'ignore',
  });
  return stdout?.trim() || undefined;
}

async function bootId(): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '');
  return id.trim();
}
