import type { ClickhouseServer } from './clickhouse.ts';
import { fieldsType, type Generation } from './generations.ts';
import { queryClickhouse } from './query.ts';

/** The kind of logs in a fractal. */
export type LogKind = 'web' | 'syslog' | 'json' | 'windows' | 'mixed';

/** Rows to generate, spread evenly from `from` to `to`. The same values generate the same rows. */
export interface SeedOptions {
  fractal_id: string;
  kind: LogKind;
  rows: number;
  seed: number;
  from: Date;
  to: Date;
  /** Release whose tables are filled; default: `A`. */
  generation?: Generation;
}

const pick = (index: string, ...values: string[]): string =>
  `arrayElement([${values.map((value) => `'${value}'`).join(', ')}], 1 + ${index} % ${values.length})`;

/** Row number `n`, three hashes of it, and the parts of log lines derived from them. */
const PARTS = {
  // A few rows are exact duplicates.
  n: 'number - (number % 4999 = 42)',
  h: 'sipHash64(n, {seed:UInt64}, 1)',
  g: 'sipHash64(n, {seed:UInt64}, 2)',
  k: 'sipHash64(n, {seed:UInt64}, 3)',
  ms: '{from:Int64} + intDiv(toInt64(n) * ({to:Int64} - {from:Int64} - 1000), toInt64({rows:UInt64})) + toInt64(h % 1000)',
  time: "fromUnixTimestamp64Milli(ms, 'UTC')",
  ip: "concat(toString(10 + h % 90), '.', toString(intDiv(h, 97) % 256), '.', toString(intDiv(h, 7919) % 256), '.', toString(1 + intDiv(h, 104729) % 254))",
  port: 'toString(1024 + k % 60000)',
  pid: 'toString(k % 32768)',
  person: pick(
    'g',
    'alice',
    'bob',
    'carol',
    'dave',
    'erin',
    'frank',
    'grace',
    'heidi',
    'ivan',
    'judy',
    'mallory',
    'peggy',
  ),
  host: `concat(${pick('intDiv(h, 29)', 'edge', 'app', 'db', 'cache', 'worker')}, '-', leftPad(toString(intDiv(h, 37) % 40), 2, '0'))`,
  trace: 'lower(hex(sipHash128(n, {seed:UInt64}, 4)))',
  method: pick('intDiv(h, 13)', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD'),
  status: pick(
    'intDiv(g, 11)',
    '200',
    '200',
    '200',
    '200',
    '200',
    '301',
    '304',
    '400',
    '401',
    '403',
    '404',
    '500',
    '502',
  ),
  base: pick(
    'intDiv(g, 17)',
    '/api/v2/orders',
    '/api/v2/users',
    '/static/app',
    '/login',
    '/checkout/cart',
    '/search',
    '/health',
    '/img/p',
  ),
  path: `concat(base, '/', toString(intDiv(g, 1009) % 100000), if(h % 3 = 0, concat('?q=', ${pick('k', 'blue+shoes', 'caf%C3%A9', 'usb-c', 'x%27y')}, '&page=', toString(k % 40)), ''))`,
  agent: pick(
    'k',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15',
    'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
    'curl/8.11.0',
    'kube-probe/1.31',
  ),
  size: 'toString(intDiv(k, 31) % 250000)',
  took: 'toString(round((intDiv(k, 61) % 900000) / 1000, 3))',
};

/** The log line of each kind, and the fields parsed from it, as JSON text. */
const LINES: Record<Exclude<LogKind, 'mixed'>, { line: string; fields: string }> = {
  web: {
    line: `concat(ip, ' - ', if(g % 4 = 0, person, '-'), ' [', formatDateTime(time, '%d/%b/%Y:%H:%i:%S +0000'), '] "', method, ' ', path, ' HTTP/1.1" ', status, ' ', size, ' "https://shop.example.com', base, '" "', agent, '" ', took)`,
    fields: `concat('{"src_ip":"', ip, '","method":"', method, '","path":"', path, '","status":', status, ',"bytes":', size, ',"duration_s":', took, ',"user_agent":"', agent, '","cached":', if(k % 3 = 0, 'true', 'false'), if(g % 4 = 0, concat(',"user":"', person, '"'), ''), '}')`,
  },
  syslog: {
    line: `concat('<', toString(1 + g % 190), '>', formatDateTime(time, '%b %e %H:%i:%S '), host, ' ', multiIf(
      g % 4 = 0, concat('sshd[', pid, ']: Failed password for ', if(k % 2 = 0, 'invalid user ', ''), person, ' from ', ip, ' port ', port, ' ssh2'),
      g % 4 = 1, concat('sshd[', pid, ']: Accepted publickey for ', person, ' from ', ip, ' port ', port, ' ssh2: ED25519 SHA256:', base64Encode(unhex(trace))),
      g % 4 = 2, concat('kernel: [', toString(intDiv(k, 7) % 9999999), '.', pid, '] nf_conntrack: IN=eth0 OUT= SRC=', ip, ' DST=10.0.0.', toString(k % 255), ' LEN=', toString(40 + k % 1460), ' PROTO=TCP SPT=', port, ' DPT=443 SYN'),
      concat('sudo: ', person, ' : TTY=pts/', toString(k % 9), ' ; PWD=/home/', person, ' ; USER=root ; COMMAND=/usr/bin/tail -n ', toString(k % 5000), ' "/var/log/', host, '/messages"')))`,
    fields: `concat('{"host":"', host, '","program":"', ${pick('g', 'sshd', 'sshd', 'kernel', 'sudo')}, '","pid":', pid, ',"net":{"src":{"ip":"', ip, '","port":', port, '}}', if(g % 7 = 0, concat(',"tags":["', host, '","t', toString(k % 50), '"]'), ''), '}')`,
  },
  json: {
    line: `concat('{"level":"', ${pick('g', 'debug', 'info', 'info', 'info', 'warn', 'error')}, '","service":"', ${pick('k', 'orders', 'billing', 'auth', 'mailer')}, '","host":"', host, '","trace_id":"', trace, '","user":{"name":"', person, '","id":', toString(g % 1000000), '},"payment":{"amount":', toString((g % 1000000) / 100), ',"currency":"', ${pick('h', 'EUR', 'USD', 'JPY')}, '","captured":', if(h % 2 = 0, 'true', 'false'), ',"items":[', toString(k % 9), ',', toString(k % 77), ']},"msg":"', ${pick('intDiv(k, 5)', 'payment captured', 'cache miss, falling back', 'retrying after \\\\"timeout\\\\"', 'session expired', 'Größe überschritten – 製品コード 不明 🚚')}, '"}')`,
    fields: 'line',
  },
  windows: {
    line: `concat('{"EventID":', ${pick('g', '4624', '4625', '4634', '4672', '4688', '4720', '7045')}, ',"Channel":"', ${pick('k', 'Security', 'Security', 'System', 'Application')}, '","Computer":"', upper(host), '.corp.example","TimeCreated":"', formatDateTime(time, '%Y-%m-%dT%H:%i:%SZ'), '","RecordID":', toString(n), ',"Level":', toString(h % 5), ',"Elevated":', if(k % 5 = 0, 'true', 'false'), ',"Keywords":["', ${pick('g', 'Audit Success', 'Audit Failure')}, '"],"EventData":{"TargetUserName":"', person, '","TargetDomainName":"CORP","IpAddress":"', ip, '","IpPort":', port, ',"LogonType":', ${pick('h', '2', '3', '10')}, ',"ProcessName":"C:\\\\\\\\Windows\\\\\\\\System32\\\\\\\\', ${pick('k', 'svchost.exe', 'lsass.exe', 'cmd.exe', 'powershell.exe')}, '"}}')`,
    fields: 'line',
  },
};

/** Difficult lines: invalid UTF-8, NUL, newlines, control characters, quotes, Unicode. */
const ODD_LINE = `multiIf(
  n % 5003 = 7, concat(line, ' bin=', unhex('FFFE00C328A0A1F0288CBC'), ' end'),
  n % 9001 = 11, unhex('80818283C0AFEDA080F5808080'),
  n % 2003 = 5, concat(line, '\\n\\tat com.example.Foo(Foo.java:', toString(k % 900), ')\\r\\n\\tat "main" \\\\ end'),
  n % 1009 = 3, concat(line, ' ünïcødé “quotes” → 日本語 🙂 C:\\\\Users\\\\', person),
  n % 3001 = 9, concat(line, char(1, 8, 12, 27, 127), '[31m', unhex('E280A8'), '/</script>'),
  line)`;

/** Fields since releases have typed paths: normalized names, and who did it. */
const NORMALIZED: Record<Exclude<LogKind, 'mixed'>, { fields: string; normalizer: string }> = {
  web: {
    fields: `concat('{"src_ip":"', ip, '","operation":"', method, '","path":"', path, '","status":"', status, '","resp_bytes":"', size, '","duration":"', took, '","user_agent":"', agent, '"', if(g % 4 = 0, concat(',"user":"', person, '"'), ''), '}')`,
    normalizer: 'access_log@2',
  },
  syslog: {
    fields: `concat('{"computer_name":"', host, '","program":"', ${pick('g', 'sshd', 'sshd', 'kernel', 'sudo')}, '","pid":"', pid, '","src_ip":"', ip, '","src_port":"', port, '"', if(g % 4 = 2, ',"proto":"TCP","dst_port":"443"', concat(',"user":"', person, '"')), '}')`,
    normalizer: 'syslog@4',
  },
  json: {
    fields: `concat('{"level":"', ${pick('g', 'debug', 'info', 'info', 'info', 'warn', 'error')}, '","service":"', ${pick('k', 'orders', 'billing', 'auth', 'mailer')}, '","computer_name":"', host, '","trace_id":"', trace, '","user":"', person, '","payment":{"amount":"', toString((g % 1000000) / 100), '","currency":"', ${pick('h', 'EUR', 'USD', 'JPY')}, '"},"msg":"', ${pick('intDiv(k, 5)', 'payment captured', 'cache miss, falling back', 'session expired', 'Größe überschritten – 製品コード 不明 🚚')}, '"}')`,
    normalizer: '',
  },
  windows: {
    fields: `concat('{"event_id":"', ${pick('g', '4624', '4625', '4634', '4672', '4688', '4720', '7045')}, '","computer_name":"', upper(host), '.corp.example","channel":"', ${pick('k', 'Security', 'Security', 'System', 'Application')}, '","user":"', person, '","src_ip":"', ip, '","src_port":"', port, '"', if(g % 7 = 4, concat(',"bifract_category":"process_creation","process_guid":"', trace, '","parent_process_guid":"', lower(hex(g)), '","image":"C:\\\\\\\\Windows\\\\\\\\System32\\\\\\\\', ${pick('k', 'svchost.exe', 'lsass.exe', 'cmd.exe', 'powershell.exe')}, '","parent_image":"C:\\\\\\\\Windows\\\\\\\\explorer.exe","commandline":"run /x ', pid, '"'), ''), '}')`,
    normalizer: 'sysmon@3',
  },
};

/** Fills a fractal within ClickHouse, about 100,000 rows a second. */
export async function seedRows(
  server: Pick<ClickhouseServer, 'url' | 'user' | 'password'>,
  database: string,
  { fractal_id, kind, rows, seed, from, to, generation = 'A' }: SeedOptions,
): Promise<void> {
  const params = { fractal: fractal_id, rows, seed, from: from.getTime(), to: to.getTime() };
  const run = async (first: number, count: number) => {
    const half = { ...params, first, count };
    await queryClickhouse(server, database, insertLogs(kind, generation), half);
    if (generation >= 'G') await queryClickhouse(server, database, insertRaw(kind), half);
  };
  // One insert uses one core.
  const middle = Math.floor(rows / 2);
  const fill = () => Promise.all([run(0, middle), run(middle, rows - middle)]);
  if (generation < 'D') await fill();
  else await withoutHotRows((sql) => queryClickhouse(server, database, sql), fill);
}

/**
 * The view on recent rows would make a partition for each five minutes of the whole time, of which the server keeps the last
 * hours.
 */
async function withoutHotRows(ch: (sql: string) => Promise<string>, fill: () => Promise<unknown>) {
  await ch('DETACH TABLE logs_hot_mv');
  try {
    await fill();
  } finally {
    await ch('ATTACH TABLE logs_hot_mv');
  }
}

/**
 * Nothing turns into a date, and each block may have many daily partitions. Merges make the indexes: on insert they take as
 * long as everything else.
 */
const SETTINGS = `SETTINGS input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0,
  max_partitions_per_insert_block = 0, materialize_skip_indexes_on_insert = 0`;

function insertLogs(kind: LogKind, generation: Generation): string {
  const { line, fields, normalizer } = sources(kind, generation);
  const columns = {
    timestamp: 'time',
    ...(generation < 'G' && { raw_log: 'raw' }),
    log_id: 'id',
    fields: `parsed::${fieldsType(generation)}`,
    fractal_id: '{fractal:String}',
    ingest_timestamp: 'time + toIntervalMillisecond(200 + sipHash64(number, {seed:UInt64}) % 3000)',
    ...(generation >= 'F' && { normalizer }),
  };
  return insert('logs', columns, { ...PARTS, line, parsed: fields, ...RAW });
}

/** The original lines of the days for which the server keeps them. */
function insertRaw(kind: LogKind): string {
  const columns = { timestamp: 'time', fractal_id: '{fractal:String}', log_id: 'id', raw_log: 'raw' };
  const { line } = sources(kind, 'A');
  return insert('logs_raw', columns, { ...PARTS, line, ...RAW }, 'time >= now() - INTERVAL 7 DAY');
}

const RAW = { raw: ODD_LINE, id: 'lower(hex(sipHash128(ms, raw)))' };

function insert(
  table: string,
  columns: Record<string, string>,
  aliases: Record<string, string>,
  where = '1',
): string {
  const names = Object.entries(aliases).map(([name, expression]) => `${expression} AS ${name}`);
  return `INSERT INTO ${table} (${Object.keys(columns).join(', ')})
    WITH ${names.join(',\n')}
    SELECT ${Object.values(columns).join(', ')} FROM numbers({first:UInt64}, {count:UInt64}) WHERE ${where} ${SETTINGS}`;
}

interface Sources {
  line: string;
  fields: string;
  normalizer: string;
}

/** Expressions for the log line, the text of its fields, and what has made them. */
function sources(kind: LogKind, generation: Generation): Sources {
  if (kind !== 'mixed') {
    const { fields, normalizer } = NORMALIZED[kind];
    const { line } = LINES[kind];
    return { line, fields: generation < 'B' ? LINES[kind].fields : fields, normalizer: `'${normalizer}'` };
  }
  const [web, syslog, json, windows] = (['web', 'syslog', 'json', 'windows'] as const).map((one) =>
    sources(one, generation),
  ) as [Sources, Sources, Sources, Sources];
  const choose = (part: keyof Sources) =>
    `multiIf(h % 10 < 4, ${web[part]}, h % 10 < 7, ${syslog[part]}, h % 10 < 9, ${json[part]}, ${windows[part]})`;
  return { line: choose('line'), fields: choose('fields'), normalizer: choose('normalizer') };
}
