import { readFile } from 'node:fs/promises';

/** Position of the start time in `/proc/PID/stat`, counted from the process state. */
const START_FIELD = 19;

/** A process, distinguished from a later one that reuses its PID. */
export interface ProcessIdentity {
  pid: number;
  /** Start time, in the format of the system. */
  start: string;
  /** Boot id of the system; empty if unknown. */
  boot: string;
}

let own: Promise<ProcessIdentity> | undefined;

/** This process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= identityOf(process.pid).then((found) => found ?? { pid: process.pid, start: '', boot: '' });
  return own;
}

/** The process that has this PID now; undefined if there is none. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const start = (await startFromProc(pid)) ?? (await startFromPs(pid));
  return start === undefined ? undefined : { pid, start, boot: await bootId() };
}

/** Whether this process is still running. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid);
  return now !== undefined && now.start === identity.start && now.boot === identity.boot;
}

async function startFromProc(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  // The name is in parentheses and may itself contain parentheses. A zombie has ended.
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
