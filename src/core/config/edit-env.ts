import { parseEnvFile } from './env-file.ts';

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
