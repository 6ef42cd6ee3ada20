import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinal, type StoredFile } from './inventory.ts';
import { isBackup, type JobName, jobKind, type Task } from './jobs.ts';
import type { Call, Line } from './program.ts';
import type { Start, World } from './world.ts';

/** A promise of the program that a round found broken. */
export interface Violation {
  check: CheckName | 'the round ends';
  detail: string;
}

/** What a round did, and what it found after the program's own recovery. */
export interface Outcome {
  world: World;
  start: Start;
  jobs: readonly JobName[];
  tasks: readonly Task[];
  /** The disturbed calls, in the order of `tasks`. */
  calls: readonly Call[];
  /** What is missing of the results that calls reported, before recovery. */
  missing: readonly string[];
  /** The next backup. */
  next: Call;
  /** All calls, with those of the recovery. */
  all: readonly Call[];
  late_row: boolean;
  files: readonly StoredFile[];
  /** What still ran after a call had ended. */
  processes: readonly string[];
}

type Check = (outcome: Outcome) => Promise<string[]> | string[];

/** Every promise, by name. Each returns what is wrong. */
export const CHECKS = {
  'no job hangs': ({ all }) => all.filter(({ hung }) => hung).map(({ args }) => args.join(' ')),

  'no internal error': ({ all }) =>
    all
      .filter(
        ({ outcome, signal, code }) => outcome.includes('INTERNAL') || (signal === null && !isKnown(code)),
      )
      .map(
        (call) =>
          `${call.args.join(' ')}: ${call.outcome} ${call.lines.at(-1)?.error?.message ?? call.stderr}`,
      ),

  'what is reported is there': ({ missing }) => [...missing],

  'a repeated job succeeds': ({ tasks, all }) =>
    tasks.flatMap(({ repeats, args }) => {
      const last = all.findLast((call) => call.args === args);
      return repeats && last && last.code !== 0 && !isRefused(last)
        ? [`${args.join(' ')}: ${told(last)}`]
        : [];
    }),

  'the next backup works': ({ next }) => (next.code === 0 ? [] : [told(next)]),

  'log rows stay': async ({ world, late_row, tasks, jobs, all }) => {
    // The rows were removed to be restored, and the archive was deleted before that.
    const deleted =
      jobs.includes('delete archive') &&
      tasks.some(({ args }) => all.some((call) => call.args === args && isRefused(call)));
    const wrong = deleted ? undefined : await world.clickhouse.difference();
    const late = late_row ? await world.clickhouse.lateRows() : 1;
    // Rows of the fractal that a replacing restore does not hold are removed; the new one may be among them.
    const replaced = tasks.some(({ args }) => args.includes('--replace')) && late === 0;
    return [
      ...(wrong ? [wrong] : []),
      ...(late === 1 || replaced ? [] : [`the new row is there ${late} times`]),
    ];
  },

  'the database is one state': async ({ world, start, tasks, jobs, calls }) => {
    const now = await world.postgres.digest();
    const possible = tasks.map(({ replaces_by }) => replaces_by).filter((one) => one !== undefined);
    if (now === start.database || possible.includes(now)) return [];
    const what = jobs.map((name, at) => `${name} ${calls[at]?.outcome}`).join(', ');
    return [`${now} is neither the state before (${start.database}) nor that of a backup after ${what}`];
  },

  'good files stay': ({ start, files, tasks }) => {
    const good = files.filter(({ problem }) => problem === undefined);
    return start.files
      .filter((file) => !tasks.some(({ may_delete }) => may_delete?.(file, tasks.length === 1)))
      .filter(({ name, content }) => !good.some((file) => file.name === name && file.content === content))
      .map(({ name, place }) => `${name} of ${place} is gone or not readable`);
  },

  'listed files are good': ({ files, start, tasks }) => {
    const states = new Set([start.database, ...start.files.map(({ meaning }) => meaning)]);
    const possible = new Set([...states, ...tasks.map(({ replaces_by }) => replaces_by)]);
    return files.flatMap((file) => {
      if (file.problem !== undefined) return [`${file.name} on ${file.place}: ${file.problem}`];
      return isBackup(file) && !possible.has(file.meaning)
        ? [`${file.name} holds no state of the database`]
        : [];
    });
  },

  'a backup stays': ({ files, next, start }) => {
    // The one that was just made does not count.
    const older = files.filter((file) => isBackup(file) && file.name !== `backups/${next.result?.name}`);
    return older.some(({ problem }) => problem === undefined) || !start.files.some(isBackup)
      ? []
      : ['no readable backup from before the next one'];
  },

  'records are true': async ({ world, files }) => {
    const records = await world.postgres.sql('SELECT * FROM archives');
    return records.flatMap((record) => {
      if (record.status === 'failed') return [];
      if (record.status !== 'completed') return [`${record.storage_path} is recorded as ${record.status}`];
      const file = files.find(
        ({ place, name }) => place === record.storage_type && name === record.storage_path,
      );
      if (!file) return [`${record.storage_path} is recorded on ${record.storage_type}, but does not exist`];
      const same = file.size === Number(record.size_bytes) && file.sum === record.checksum;
      return same && file.rows === Number(record.log_count) ? [] : [`${file.name} differs from its record`];
    });
  },

  'groups are true': async ({ world }) => {
    const groups =
      await world.postgres.sql(`SELECT g.id, g.status, g.archive_count, g.completed_count, g.total_log_count,
      count(a.id) FILTER (WHERE a.status = 'completed') AS done,
      coalesce(sum(a.log_count) FILTER (WHERE a.status = 'completed'), 0) AS rows
      FROM archive_groups g LEFT JOIN archives a ON a.group_id = g.id GROUP BY g.id`);
    return groups.flatMap(({ id, status, archive_count, completed_count, total_log_count, done, rows }) => {
      const expected = done === archive_count ? 'completed' : done === '0' ? 'failed' : 'partial';
      if (status === expected && completed_count === done && total_log_count === rows) return [];
      return [`group ${id} is ${status} with ${completed_count}/${archive_count}, ${done} are complete`];
    });
  },

  'archive files are listed': async ({ world, start, files, tasks }) => {
    if (tasks.some(({ loses_records }) => loses_records)) return [];
    const records = await world.postgres.sql("SELECT storage_path FROM archives WHERE status = 'completed'");
    const known = new Set(records.map(({ storage_path }) => storage_path));
    const own = files.filter((file) => !isBackup(file) && file.place === start.storage);
    return own.filter(({ name }) => !known.has(name)).map(({ name }) => `${name} has no completed record`);
  },

  'the audit log is whole': async ({ world, tasks, calls, jobs }) => {
    const text = await readFile(join(world.dir, '.bifract/audit.log'), 'utf8').catch(() => '');
    const entries = text.split('\n').filter(Boolean).map(parsed);
    const broken = entries.filter((entry) => entry === undefined).map(() => 'a line is not JSON');
    const incomplete = tasks.flatMap((task, at) => {
      const call = calls[at];
      if (!task.audited || !call?.job || call.code !== 0) return [];
      const found = entries.filter((entry) => entry?.job === call.job).map((entry) => entry?.event);
      const nothing_to_do = found.length === 0 && !mustAudit(task, call);
      return nothing_to_do || (found.includes('begun') && found.includes('ended'))
        ? []
        : [`${jobs[at]}: ${found.join(', ') || 'no entry'}`];
    });
    return [...broken, ...incomplete];
  },

  'nothing is left': async ({ world, processes }) => {
    const { postgres, clickhouse, s3 } = world;
    const files = await readdir(world.dir, { recursive: true, withFileTypes: true });
    const paths = files
      .filter((entry) => !entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name).slice(world.dir.length + 1));
    return [
      ...(await postgres.scratch()).map((name) => `database ${name}`),
      ...(await clickhouse.stagingTables()).map((name) => `table ${name}`),
      ...s3.openUploads().map((key) => `unfinished upload ${key}`),
      ...s3
        .objects()
        .filter(({ key }) => !isOwnKey(key))
        .map(({ key }) => `object ${key}`),
      ...(
        await untold(
          world,
          paths.filter((path) => !isOwnPath(path)),
        )
      ).map((path) => `file ${path}`),
      ...(await world.tempFiles()).map((name) => `temporary file ${name}`),
      ...processes.map((name) => `process ${name}`),
    ];
  },
} satisfies Record<string, Check>;

export type CheckName = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

export async function findViolations(outcome: Outcome): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const check of CHECK_NAMES) {
    const details = await perform(CHECKS[check], outcome);
    found.push(...details.map((detail) => ({ check, detail })));
  }
  return found;
}

async function perform(check: Check, outcome: Outcome): Promise<string[]> {
  try {
    return await check(outcome);
  } catch (error) {
    return [`cannot be checked: ${error}`];
  }
}

/** What is missing of the results that calls reported. */
export async function findMissing({
  world,
  jobs,
  tasks,
  calls,
}: Pick<Outcome, 'world' | 'jobs' | 'tasks' | 'calls'>): Promise<string[]> {
  const after = { world, files: await world.files() };
  const found: string[] = [];
  for (const [at, task] of tasks.entries()) {
    const call = calls[at];
    const job = jobs[at] as JobName;
    const undone = jobs.some((other, index) => index !== at && jobKind(job).undone_by?.includes(other));
    if (call?.code !== 0 || undone) continue;
    const missing = await task.missing(call, after);
    if (missing) found.push(`${job} exited with 0, but ${missing}`);
  }
  return found;
}

const EXITS = new Set([0, 1, 2, 3, 4, 5, 6, 7, 130, 143]);

/** 128 + signal: a wrapper or Node ended by a signal, such as SIGXFSZ. */
function isKnown(code: number | null): boolean {
  return code !== null && (EXITS.has(code) || code > 150);
}

/** Another job makes it impossible, such as a restore that brings back an older database. */
function isRefused({ outcome }: Call): boolean {
  return /NOT_FOUND/.test(outcome);
}

function told(call: Call): string {
  return `${call.outcome} ${call.lines.at(-1)?.error?.message ?? call.stderr}`.trim();
}

/** Jobs that may find nothing to destroy need no entry. */
function mustAudit({ args }: Task, { lines }: Call): boolean {
  return ['restore', 'delete'].includes(args[0] ?? '') && lines.at(-1)?.event === 'job:done';
}

function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

/** Without the files of jobs that `status` names, such as an archive that a later call resumes. */
async function untold(world: World, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const status = await world.call(['status']).ended;
  const interrupted = (status.lines.at(-1)?.interrupted ?? []) as { id: string }[];
  return paths.filter((path) => !interrupted.some(({ id }) => path.includes(id)));
}

function isOwnKey(key: string): boolean {
  return isFinal(key.includes('/') ? key : `backups/${key}`) || key.startsWith('.bifract-uploads/');
}

function isOwnPath(path: string): boolean {
  return (
    isFinal(path) ||
    path === '.env' ||
    /^\.bifract\/(audit\.log|checks\.json|folders\.json|journal\/[^/.]+\.(ndjson|log)|[^/]*lock[^/]*)$/.test(
      path,
    )
  );
}
