/** The variables of an environment file, in the order in which the file first names them. */
export type EnvVars = Record<string, string>;

/**
 * Reads the text of a `.env` file: lines of `KEY=VALUE`, trimmed, split at the first `=`.
 *
 * Skips blank lines, comments (`#`) and lines without a key. Matching quotes around a value are removed; no other
 * character in a value is special. If a key is repeated, the last value wins. Never throws.
 */
export function parseEnvFile(text: string): EnvVars {
  const vars = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const entry = parseLine(line.trim());
    if (entry) vars.set(...entry);
  }
  return Object.fromEntries(vars);
}

function parseLine(line: string): [key: string, value: string] | undefined {
  const split = line.indexOf('=');
  if (line.startsWith('#') || split < 1) return undefined;
  const key = line.slice(0, split).trim();
  return [key, unquote(line.slice(split + 1).trim())];
}

function unquote(value: string): string {
  const quote = value[0];
  const quoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
  return quoted ? value.slice(1, -1) : value;
}

/**
 * Sets variables in the text of a `.env` file. Replaces the last line that sets a variable, or appends one. Every other
 * byte stays the same.
 */
export function setVariables(text: string, variables: Record<string, string>): string {
  const lines = text.split('\n');
  const added: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const at = lines.findLastIndex((line) => Object.hasOwn(parseEnvFile(line), name));
    if (at < 0) added.push(`${name}=${value}`);
    else lines[at] = `${name}=${value}${lines[at]?.endsWith('\r') ? '\r' : ''}`;
  }
  const changed = lines.join('\n');
  if (added.length === 0) return changed;
  const gap = changed === '' || changed.endsWith('\n') ? '' : '\n';
  return `${changed}${gap}${added.join('\n')}\n`;
}
