import type { EnvVars } from './env-file.ts';

/** Variables that hold a secret. Those that end in _FILE, _ID or _TTL hold a path, a name or a number. */
const SECRET =
  /password|passwd|passphrase|secret|token|credential|(^|_)(pass|pwd|dsn|key|keys)($|_)|(access|api|auth|private)key/i;
const HARMLESS = /_(file|path|dir|id|ttl|days|expiry|expires|length|url)$/i;
/** The working directory: with it masked, no path in the installation could be read from within it. */
const FOLDER = 'PWD';

/** The secrets among variables: values by the name of their variable, and passwords in URLs. */
export function secretsOf(variables: EnvVars | NodeJS.ProcessEnv): string[] {
  const entries = Object.entries(variables).flatMap(([name, value]) =>
    value ? [{ name, value: value.trim() }] : [],
  );
  const isSecret = (name: string) => SECRET.test(name) && !HARMLESS.test(name) && name !== FOLDER;
  const harmless = new Set(entries.filter(({ name }) => !isSecret(name)).map(({ value }) => value));
  return entries.flatMap(({ name, value }) => [
    // The name of a user or a database, used as its password, is in many messages.
    ...(isSecret(name) && !harmless.has(value) ? [value, ...value.split(/[\s,]+/)] : []),
    ...passwordsIn(value),
  ]);
}

/** The password in a URL, as it is and decoded. */
export function passwordsIn(value: string): string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(\S*)@/i.exec(value)?.[1];
  if (!password) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
