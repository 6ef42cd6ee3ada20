import type { Snapshot } from '../view/types.ts';

/** Fingerprint of the key, as last read: another process may rotate the key while the console is open. */
export function keyIdOf({ data, installation }: Snapshot): string | null {
  const { value } = data.health;
  return value ? value.key.key_id : installation.key_id;
}
