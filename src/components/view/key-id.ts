import type { Snapshot } from './types.ts';

/** Fingerprint of the key, as it was seen last: another process may rotate it while the console is open. */
export function keyIdOf({ data, installation }: Snapshot): string | null {
  const { value } = data.health;
  return value ? value.key.key_id : installation.key_id;
}
