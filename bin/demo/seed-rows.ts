import type { ClickhouseServer } from './clickhouse.ts';
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

/** Fills a fractal within ClickHouse, about 100,000 rows a second. */
export async function seedRows(
  server: Pick<ClickhouseServer, 'url' | 'user' | 'password'>,
  database: string,
  { fractal_id, kind, rows, seed, from, to }: SeedOptions,
): Promise<void> {
  const params = { fractal: fractal_id, rows, seed, from: from.getTime(), to: to.getTime() };
  await queryClickhouse(server, database, insertStatement(kind), params);
}

function insertStatement(kind: LogKind): string {
  const { line, fields } = kind === 'mixed' ? mixed() : LINES[kind];
  const columns = Object.entries({ ...PARTS, line, parsed: fields, raw: ODD_LINE });
  return `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp)
    WITH ${columns.map(([name, expression]) => `${expression} AS ${name}`).join(',\n')}
    SELECT time, raw, lower(hex(sipHash128(ms, raw))), parsed::JSON(max_dynamic_paths=1024), {fractal:String},
      time + toIntervalMillisecond(200 + sipHash64(number, {seed:UInt64}) % 3000)
    FROM numbers({rows:UInt64})
    SETTINGS input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0`;
}

function mixed(): { line: string; fields: string } {
  const { web, syslog, json, windows } = LINES;
  const choose = (part: 'line' | 'fields') =>
    `multiIf(h % 10 < 4, ${web[part]}, h % 10 < 7, ${syslog[part]}, h % 10 < 9, ${json[part]}, ${windows[part]})`;
  return { line: choose('line'), fields: choose('fields') };
}
