/** A name as PostgreSQL writes it: quoted if it must be. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** One `CREATE ROLE` for each. */
export function createRoles(names: string[]): string {
  return names.map((name) => `CREATE ROLE ${quoteName(name)};`).join(' ');
}
