/** Inspects and rewrites SQL text for chdb. */
import type { IncomingHttpHeaders } from 'node:http';
import { exception } from './exception.ts';

const COMMENTS = String.raw`\s*(?:(?:--[^\n]*\n|/\*[\s\S]*?\*/)\s*)*`;
const INSERT = new RegExp(`^${COMMENTS}INSERT\\b`, 'i');
const SELECT = new RegExp(`^${COMMENTS}[\\s(]*(SELECT|WITH|FROM)\\b`, 'i');
const FORMAT_LAST = /\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^']*(?:'[^']*'[^']*)*)?$/i;
const INSERT_TAIL = /^([\s\S]*?)(\s+SETTINGS\s[\s\S]*?)?\s+(?:FORMAT\s+(\w+)|VALUES)\s*$/i;
const INPUT_FUNCTION = /\binput\s*\(\s*('(?:[^'\\]|\\[\s\S]|'')*')\s*\)/i;
const INSERT_HEAD = /^\s*INSERT\b[\s\S]*?\bFORMAT\s+\w+[ \t]*\r?\n/i;
const HEAD_LIMIT = 65_536;

/** Formats whose chunks can be concatenated; for others, chdb repeats head and tail in each chunk. */
const STREAMABLE =
  /^(JSON(Compact|Strings|CompactStrings)?EachRow|JSONLines|NDJSON|PrettyJSONEachRow|T(SV|abSeparated)(Raw)?|Raw|TSKV|CSV|Native|RowBinary|LineAsString|RawBLOB|Values|MsgPack|SQLInsert|Null)$/i;

/** Request parameters of the HTTP interface that are not settings. */
const HTTP_ONLY =
  /^(query|database|user|password|quota_key|query_id|role|session_(id|timeout|check)|default_format|compress|decompress|wait_end_of_query|buffer_size|stacktrace|client_protocol_version|enable_http_compression|send_progress_in_http_headers|http_.*|add_http_cors_header)$/;

export const isInsert = (sql: string): boolean => INSERT.test(sql);
export const isSelect = (sql: string): boolean => SELECT.test(sql);
export const isStreamable = (format: string): boolean => STREAMABLE.test(format);
export const usesInput = (sql: string): boolean => INPUT_FUNCTION.test(sql);

/** Quotes a value as a string literal. */
export function literal(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}

/** The result format named in a statement. */
export function namedFormat(sql: string): string | undefined {
  return FORMAT_LAST.exec(sql)?.[1];
}

/** Splits a body into statement and data; the data stays bytes. */
export function splitInlineInsert(body: Buffer): { sql: string; data: Buffer } {
  const head = INSERT_HEAD.exec(body.subarray(0, HEAD_LIMIT).toString('latin1'))?.[0];
  if (head === undefined || body.length === head.length)
    return { sql: body.toString(), data: Buffer.alloc(0) };
  return { sql: body.subarray(0, head.length).toString(), data: body.subarray(head.length) };
}

/**
 * Rewrites an INSERT to read its rows from a file: `input()` would silently insert nothing from inline data, and other
 * inline data would have to fit in memory.
 */
export function insertFromFile(sql: string, file: string): string {
  const [matched, statement = '', settings = '', named] = INSERT_TAIL.exec(sql) ?? [];
  if (matched === undefined) {
    throw exception(62, 'SYNTAX_ERROR', 'INSERT with a request body must end in FORMAT <name> or VALUES');
  }
  const format = named ?? 'Values';
  if (!usesInput(sql)) return `${statement} FROM INFILE ${literal(file)}${settings} FORMAT ${format}`;
  const source = (_: string, structure: string) => `file(${literal(file)}, ${literal(format)}, ${structure})`;
  return statement.replace(INPUT_FUNCTION, source) + settings;
}

/** chdb has no query ID of the caller, so the log comment carries it; and a synchronous KILL never returns. */
export function rewriteKill(sql: string): string {
  if (!/^\s*KILL\s+QUERY/i.test(sql)) return sql;
  return sql
    .replace(/\bquery_id\b/gi, "Settings['log_comment']")
    .replace(/\s+(SYNC|ASYNC)\b/gi, '')
    .replace(/(\s+FORMAT\s+\w+)?\s*$/i, (format) => ` ASYNC${format}`);
}

/** The statement that kills a query by its ID. */
export function killStatement(id: string): string {
  return `KILL QUERY WHERE Settings['log_comment'] = ${literal(id)} ASYNC`;
}

/** The statement to run before that of a request: its database, settings and bound parameters. */
export function preparation(
  params: URLSearchParams,
  headers: IncomingHttpHeaders,
  readonly: boolean,
  id: string,
): string {
  const settings = [...params].filter(([name]) => !HTTP_ONLY.test(name));
  for (const [name] of settings) {
    if (!/^\w+$/.test(name)) throw exception(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
  }
  if (!params.has('log_comment')) settings.push(['log_comment', id]);
  if (readonly && !params.has('readonly')) settings.push(['readonly', '2']);
  const set = `SET ${settings.map(([name, value]) => `${name} = ${literal(value)}`).join(', ')}`;
  const database = params.get('database') ?? headers['x-clickhouse-database'];
  return database ? `USE \`${String(database).replace(/[\\`]/g, '\\$&')}\`; ${set}` : set;
}
