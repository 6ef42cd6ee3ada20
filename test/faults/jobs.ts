import type { Random } from '../helpers/s3/random.ts';
import { SMALL } from './clickhouse.ts';
import { rowsOf, type StoredFile } from './inventory.ts';
import type { Call } from './program.ts';
import type { Start, StorageKind, World } from './world.ts';

/** One call of the program in a round, and what it may and must do. */
export interface Task {
  args: string[];
  /** Whether the audit log must name it. */
  audited?: boolean;
  /** The same call again must succeed in the end, and finishes what it began. */
  repeats?: boolean;
  /** Files that it may delete; `alone` if no other job ran. */
  may_delete?(file: StoredFile, alone: boolean): boolean;
  /** Hash of the database that it puts in place of the live one. */
  replaces_by?: string;
  /** Archive files may be without a record, because it deletes records or replaces them by older ones. */
  loses_records?: boolean;
  /** What is missing although it exited with 0; undefined if the result is there. */
  missing(call: Call, now: After): Promise<string | undefined> | string | undefined;
}

/** The world after the disturbance. */
export interface After {
  world: World;
  files: StoredFile[];
}

export interface JobKind {
  /** Compared with a backup. */
  duration: number;
  /** Only with this storage. */
  storage?: StorageKind;
  uses_clickhouse?: true;
  without_postgres?: true;
  /** Writes files that S3 gets in several parts. */
  writes_large_files?: true;
  /** Jobs that, at the same time, may undo its result; then it is not looked for. */
  undone_by?: string[];
  /** Which program of PostgreSQL it runs. */
  tool?: RegExp;
  /** Prepares the installation, and says what to call. */
  prepare(world: World, start: Start, random: Random): Promise<Task> | Task;
}

const NOTHING = { missing: () => undefined };

export const JOBS = {
  backup: {
    writes_large_files: true,
    undone_by: ['rotate', 'prune', 'backup --prune'],
    duration: 1,
    tool: /pg_dump/,
    prepare: () => ({ args: ['backup'], missing: newBackup }),
  },

  'backup --prune': {
    writes_large_files: true,
    undone_by: ['rotate', 'prune', 'backup --prune'],
    duration: 1.3,
    tool: /pg_dump/,
    prepare: (_world, start) => ({
      args: ['backup', '--prune', '--keep-last', '2'],
      may_delete: allBackupsBut(1, start),
      missing: newBackup,
    }),
  },

  restore: {
    undone_by: ['restore'],
    duration: 2.5,
    tool: /pg_restore/,
    prepare: (_world, start, random) => {
      const name = random.pick(start.older);
      const flags = ['--no-safety-backup', '--end-sessions'].filter(() => random.chance(0.5));
      const replaces_by = start.files.find((file) => file.name.endsWith(name))?.meaning ?? '';
      return {
        args: ['restore', name, '--yes', ...flags],
        audited: true,
        replaces_by,
        loses_records: true,
        missing: async (_call, { world }) =>
          (await world.postgres.digest()) === replaces_by ? undefined : 'the database is not the backup',
      };
    },
  },

  drill: {
    duration: 1.5,
    tool: /pg_restore/,
    prepare: (_world, { older }, random) => ({
      args: ['restore', random.pick(older), '--drill'],
      ...NOTHING,
    }),
  },

  archive: {
    duration: 1.3,
    uses_clickhouse: true,
    prepare: (_world, start, random) => ({
      args: [
        ...['archive', 'small', '--split', random.pick(['none', 'hour', 'day', 'week'])],
        ...['--parallel', random.pick(['1', '3'])],
      ],
      repeats: true,
      missing: (call, { files }) => {
        const { group_id, children, storage_path } = call.result ?? {};
        const paths = Array.isArray(children) ? children.map((child) => String(child.storage_path)) : [];
        const names = new Set([...paths, String(storage_path)]);
        const written = unique(files.filter(({ name }) => names.has(name)));
        return sameRows(written, start.small, String(group_id));
      },
    }),
  },

  'restore-archive': {
    undone_by: ['restore-archive'],
    duration: 5,
    uses_clickhouse: true,
    prepare: async (world, { big }, random) => {
      const scene = random.pick(['all', 'all', 'month', 'half', 'none', 'replace'] as const);
      await world.clickhouse.removeRows(scene === 'replace' ? 'none' : scene);
      return {
        args: ['restore-archive', big.name, '--yes', ...(scene === 'replace' ? ['--replace'] : [])],
        audited: scene === 'replace',
        repeats: true,
        missing: () => world.clickhouse.difference(),
      };
    },
  },

  'delete backup': {
    without_postgres: true,
    undone_by: ['copy'],
    duration: 0.8,
    prepare: (_world, start, random) => {
      const backups = start.files.filter((file) => isBackup(file) && file.place === start.storage);
      const one = random.pick(backups);
      const others = backups.filter((file) => file !== one);
      // Two of these at the same time often mean all backups.
      const chosen = random.pick([[one], others, others, backups]);
      const names = new Set(chosen.map(({ name }) => name));
      return {
        args: ['delete', 'backup', ...[...names].map(baseName), '--yes'],
        audited: true,
        may_delete: ({ name }) => names.has(name),
        missing: (_call, { files }) => still(files, names),
      };
    },
  },

  'delete archive': {
    undone_by: ['copy'],
    duration: 0.8,
    prepare: async (world, { small, big }, random) => {
      const chosen = random.pick(['group', 'big', 'one'] as const);
      const files = chosen === 'group' ? small : [chosen === 'big' ? big : random.pick(small)];
      const [group] = await world.postgres.sql(`SELECT id FROM archive_groups WHERE fractal_id = '${SMALL}'`);
      const what =
        chosen === 'group' && group?.id ? ['group', group.id] : ['archive', ...files.map(({ name }) => name)];
      const names = new Set(files.map(({ name }) => name));
      return {
        args: ['delete', ...what, '--yes'],
        audited: true,
        may_delete: ({ name }) => names.has(name),
        missing: (_call, after) => still(after.files, names),
      };
    },
  },

  prune: {
    duration: 0.8,
    prepare: (_world, start, random) => {
      const count = random.int(1, 2);
      return {
        args: ['prune', '--keep-last', String(count), '--yes'],
        audited: true,
        may_delete: allBackupsBut(count, start),
        ...NOTHING,
      };
    },
  },

  rotate: {
    writes_large_files: true,
    undone_by: ['copy'],
    duration: 2,
    prepare: (_world, start) => ({
      args: ['key', 'rotate', '--yes'],
      repeats: true,
      missing: (_call, { files }) => {
        const known = new Set(start.files.map(({ name }) => name));
        const old = files.find(
          ({ place, name, key }) => place === start.storage && known.has(name) && key > 0,
        );
        return old && `${old.name} is still under the previous key`;
      },
    }),
  },

  copy: {
    writes_large_files: true,
    undone_by: ['copy', 'delete backup', 'delete archive', 'prune', 'backup --prune', 'run-due'],
    duration: 1,
    storage: 's3',
    prepare: (_world, start, random) => {
      const to = random.pick(['s3', 'disk'] as const);
      const file = random.pick(start.files.filter(({ place }) => place !== to));
      const move = random.chance(0.5);
      const target = isBackup(file) ? baseName(file.name) : file.name;
      return {
        args: ['copy', target, '--to', to, ...(move ? ['--move', '--yes'] : [])],
        audited: move,
        missing: (_call, { files }) =>
          files.some(
            ({ place, name, content }) => place === to && name === file.name && content === file.content,
          )
            ? undefined
            : `${file.name} is not on ${to}`,
      };
    },
  },

  clean: {
    duration: 0.8,
    prepare: () => ({ args: ['clean', '--yes'], ...NOTHING }),
  },

  adopt: {
    undone_by: ['restore', 'delete archive', 'run-due'],
    duration: 1,
    prepare: async (world, start) => {
      await world.postgres.sql(`DELETE FROM archive_groups WHERE fractal_id = '${SMALL}'`);
      const names = start.small.map(({ name }) => name);
      return {
        args: ['adopt', '--yes'],
        loses_records: true,
        missing: async () => {
          const listed = await world.postgres.sql(
            "SELECT storage_path FROM archives WHERE status = 'completed'",
          );
          const lost = names.find((name) => !listed.some(({ storage_path }) => storage_path === name));
          return lost && `${lost} has no record`;
        },
      };
    },
  },

  'run-due': {
    undone_by: ['archive', 'adopt', 'delete archive'],
    duration: 1.5,
    uses_clickhouse: true,
    prepare: async (world, start) => {
      const scheduled = "archive_type = 'scheduled', created_at = created_at - interval '3 days'";
      for (const table of ['archives', 'archive_groups'])
        await world.postgres.sql(`UPDATE ${table} SET ${scheduled} WHERE fractal_id = '${SMALL}'`);
      const before = new Set(start.small.map(({ name }) => name));
      return {
        args: ['run-due'],
        audited: true,
        may_delete: ({ name }) => before.has(name),
        missing: ({ result }, { files }) => {
          // Another job may be working on the fractal.
          if (!result?.archived) return undefined;
          const own = ({ name }: StoredFile) => name.includes(`archives/${SMALL}/`) && !before.has(name);
          return sameRows(unique(files.filter(own)), start.small, 'run-due');
        },
      };
    },
  },

  verify: {
    duration: 1.2,
    prepare: () => ({ args: ['verify', '--all'], ...NOTHING }),
  },
} satisfies Record<string, JobKind>;

export type JobName = keyof typeof JOBS;
export const JOB_NAMES = Object.keys(JOBS) as JobName[];

export function jobKind(name: JobName): JobKind {
  return JOBS[name];
}

export function isBackup({ name }: Pick<StoredFile, 'name'>): boolean {
  return name.startsWith('backups/');
}

/** Another job may make newer ones. */
function allBackupsBut(
  count: number,
  { files, storage }: Start,
): (file: StoredFile, alone: boolean) => boolean {
  const names = files.filter((file) => isBackup(file) && file.place === storage).map(({ name }) => name);
  const newest = new Set(names.sort().slice(-count));
  return (file, alone) => isBackup(file) && !(alone && newest.has(file.name));
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function newBackup({ lines }: Call, { files }: After): string | undefined {
  // With `--prune`, the last result is another one.
  const result = lines.find(({ event }) => event === 'job:done')?.result;
  const file = files.find(({ name }) => name === `backups/${result?.name}`);
  if (!file) return `${result?.name} does not exist`;
  if (file.problem !== undefined) return `${file.name}: ${file.problem}`;
  return file.size === result?.size_bytes && file.sum === result.checksum
    ? undefined
    : 'size or checksum differ';
}

function still(files: readonly StoredFile[], names: ReadonlySet<string>): string | undefined {
  const left = files.find(({ name }) => names.has(name));
  return left && `${left.name} still exists on ${left.place}`;
}

function sameRows(
  written: readonly StoredFile[],
  expected: readonly StoredFile[],
  what: string,
): string | undefined {
  const [now, all] = [rowsOf(written), rowsOf(expected)];
  if (now.digest === all.digest && now.rows === all.rows) return undefined;
  return `the archive (${what}) has ${now.rows} rows in ${written.length} files, the fractal ${all.rows}`;
}

/** Each file once, though copies exist. */
function unique(files: readonly StoredFile[]): StoredFile[] {
  return [...new Map(files.map((file) => [file.name, file])).values()];
}
