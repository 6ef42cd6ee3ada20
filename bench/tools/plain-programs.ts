import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Demo } from '../../bin/demo/installation.ts';
import { LOGS_DATABASE } from '../../bin/demo/services.ts';
import { type LineSource, linesQuery, UNLIMITED } from '../../src/core/adapters/clickhouse/queries.ts';
import { measure, type Run } from './program.ts';

/** The table of the demo. */
const sourceOf = (fields: boolean): LineSource => ({
  logs: 'logs',
  raw: undefined,
  order: 'fractal_id, timestamp, log_id',
  fields,
  other: { norm_log: false, columns: [] },
});

/** Measures curl fetching the same lines from ClickHouse to /dev/null, as a sysadmin would. */
export async function curlLines(demo: Demo, fractal_id: string, fields: boolean): Promise<Run> {
  const { url, user, password } = demo.clickhouse;
  const { sql, params } = linesQuery(sourceOf(fields), { fractal_id });
  const address = new URL(url);
  address.searchParams.set('database', LOGS_DATABASE);
  for (const [name, value] of Object.entries(UNLIMITED)) address.searchParams.set(name, String(value));
  for (const [name, value] of Object.entries(params))
    address.searchParams.set(`param_${name}`, String(value));
  const config = join(demo.dir, 'curl.conf');
  const lines = [
    `url = ${JSON.stringify(String(address))}`,
    `header = "X-ClickHouse-User: ${user}"`,
    `header = "X-ClickHouse-Key: ${password}"`,
    `data-binary = ${JSON.stringify(sql)}`,
    'output = "/dev/null"',
    'silent',
    'show-error',
    'fail',
  ];
  await writeFile(config, lines.join('\n'), { mode: 0o600 });
  return measure('curl', ['-K', config]);
}

/** Reads all logs in ClickHouse's own format, compressed and encrypted, as a sysadmin would keep them. */
export async function nativeZstdAge(demo: Demo, to: string): Promise<Run> {
  const { url, user, password } = demo.clickhouse;
  const query = encodeURIComponent('SELECT * FROM logs FORMAT Native');
  const address = `${url}?database=${LOGS_DATABASE}&output_format_native_use_flattened_dynamic_and_json_serialization=1&query=${query}`;
  const script =
    'url=$1 key=$2 file=$3; shift 3; curl -sSf "$@" "$url" -d "" | zstd -q -3 -T0 -c | age -r "$key" -o "$file"';
  const login = ['-H', `X-ClickHouse-User: ${user}`, '-H', `X-ClickHouse-Key: ${password}`];
  const recipient = await newRecipient(`${to}.key`);
  return measure('bash', ['-o', 'pipefail', '-c', script, 'bash', address, recipient, to, ...login]);
}

/** Whether a program can be run. */
export async function isInstalled(...command: [program: string, ...args: string[]]): Promise<boolean> {
  const [program, ...args] = command;
  return measure(program, args).then(
    () => true,
    () => false,
  );
}

/** Runs `zstd -3 -T0 | age` on a file. */
export async function zstdAge(from: string, to: string): Promise<Run> {
  const script = 'zstd -q -3 -T0 -c -- "$1" | age -r "$2" -o "$3"';
  return measure('sh', ['-c', script, 'sh', from, await newRecipient(`${to}.key`), to]);
}

/** Runs `pg_dump -Fc | age` on the database named by the environment. */
export async function dumpAge(pgDump: string, to: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const script = '"$1" -Fc | age -r "$2" -o "$3"';
  return measure('sh', ['-c', script, 'sh', pgDump, await newRecipient(`${to}.key`), to], env);
}

/** Creates an age key file. Returns its recipient. */
export async function newRecipient(identity: string): Promise<string> {
  await rm(identity, { force: true });
  await measure('age-keygen', ['-o', identity]);
  return /^# public key: (\S+)$/m.exec(await readFile(identity, 'utf8'))?.[1] ?? '';
}
