import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { JobOwner } from '../ports/job-board.ts';

const TERMINAL = /^\/dev\/((?:pts\/|tty|console)\w*)$/;
const CRON = /^(?:cron|crond|anacron|fcron|atd)$/i;
const ANCESTORS = 12;

/** The user of the operating system, and who became root by sudo. */
export function who(): Omit<JobOwner, 'from'> {
  const sudo_user = process.env.SUDO_USER;
  return { user: userName(), ...(sudo_user ? { sudo_user } : {}), host: hostname(), pid: process.pid };
}

/** The same, and where this process was started. */
export function jobOwner(): JobOwner {
  return { ...who(), from: terminal() ?? scheduler() };
}

/** A user without an entry in the system's list, as in many containers, has a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

function terminal(): string | null {
  for (const fd of [0, 2, 1]) {
    try {
      const [, name] = TERMINAL.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
      if (name !== undefined) return name;
    } catch {
      // A system without /proc, or nothing is open there.
    }
  }
  return null;
}

function scheduler(): string | null {
  for (let pid = process.ppid, steps = 0; pid > 1 && steps < ANCESTORS; steps++) {
    const parent = parentOf(pid);
    if (parent === undefined) break;
    if (CRON.test(parent.name)) return 'cron';
    pid = parent.ppid;
  }
  return process.env.INVOCATION_ID ? 'systemd' : null;
}

/** The name of a process, and who started it. */
function parentOf(pid: number): { name: string; ppid: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = stat.lastIndexOf(')');
    const [, ppid] = stat.slice(end + 2).split(' ');
    return { name: stat.slice(stat.indexOf('(') + 1, end), ppid: Number(ppid) };
  } catch {
    return undefined;
  }
}
