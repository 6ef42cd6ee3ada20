import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { JobOwner } from '../../ports/job-launcher.ts';

const TERMINAL = /^\/dev\/((?:pts\/|tty|console)\w*)$/;
const CRON = /^(?:cron|crond|anacron|fcron|atd)$/i;
const MAX_ANCESTORS = 12;

/** The user of this process, and the user who called sudo. */
export function currentUser(): Omit<JobOwner, 'from'> {
  const sudo_user = process.env.SUDO_USER;
  return { user: userName(), ...(sudo_user ? { sudo_user } : {}), host: hostname(), pid: process.pid };
}

/** The same, and the terminal or scheduler that started this process. */
export function jobOwner(): JobOwner {
  return { ...currentUser(), from: terminal() ?? scheduler() };
}

/** A user without an entry in the user database, as in many containers, has only a number. */
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
      // No /proc, or the descriptor is closed.
    }
  }
  return null;
}

function scheduler(): string | null {
  for (let pid = process.ppid, steps = 0; pid > 1 && steps < MAX_ANCESTORS; steps++) {
    const parent = parentOf(pid);
    if (parent === undefined) break;
    if (CRON.test(parent.name)) return 'cron';
    pid = parent.ppid;
  }
  return process.env.INVOCATION_ID ? 'systemd' : null;
}

/** The name of a process, and the PID of its parent. */
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
