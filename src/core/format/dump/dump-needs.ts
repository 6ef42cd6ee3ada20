/** What the entries of a dump need from the server that they are restored to. Sorted, each name once. */
export interface DumpNeeds {
  /** Owners of objects. */
  owners: string[];
  /** Roles that privileges are granted to or revoked from. */
  grantees: string[];
  /** Roles in whose name privileges are granted: the user must be allowed to act as them. */
  grantors: string[];
  /** Roles of policies and user mappings, which pg_restore cannot leave out. */
  policy_roles: string[];
  tablespaces: string[];
  extensions: string[];
  /** Shared libraries of functions, as `$libdir/name` or a path. */
  libraries: string[];
}

/** The parts of an entry of a table of contents that say what it needs. */
export interface NeedyEntry {
  description: string;
  tag: string;
  tablespace: string;
  owner: string;
  /** Its statements, or their beginning; empty if `bytesWanted` is zero. */
  definition: string;
}

/** Roles stand before anything long in a policy, and a function's language and library before its body. */
const BEGINNING_BYTES = 64 * 1024;
/** Privileges on one object. More than ten thousand roles fit. */
const PRIVILEGES_BYTES = 1024 * 1024;
/** A dump has no more distinct names than this in practice; a forged one must not fill the memory. */
const MAX_NAMES = 100_000;

/** How much of the definition of an entry is needed. */
export function bytesWanted(description: string): number {
  if (isPrivilege(description)) return PRIVILEGES_BYTES;
  return ['POLICY', 'USER MAPPING', 'FUNCTION', 'PROCEDURE'].includes(description) ? BEGINNING_BYTES : 0;
}

function isPrivilege(description: string): boolean {
  return /^(DEFAULT )?ACL\b/.test(description);
}

/** Collects what the entries of a dump need. */
export class NeedsCollector {
  readonly #names: Record<keyof DumpNeeds, Set<string>> = {
    owners: new Set(),
    grantees: new Set(),
    grantors: new Set(),
    policy_roles: new Set(),
    tablespaces: new Set(),
    extensions: new Set(),
    libraries: new Set(),
  };

  add({ description, tag, tablespace, owner, definition }: NeedyEntry): void {
    if (tablespace !== '') this.#add('tablespaces', tablespace);
    if (isPrivilege(description)) this.#addPrivileges(definition);
    else if (owner !== '') this.#add('owners', owner);
    if (description === 'EXTENSION') this.#add('extensions', tag);
    if (description === 'POLICY') this.#add('policy_roles', ...rolesAfter(tokensOf(definition), 'TO'));
    if (description === 'USER MAPPING') this.#add('policy_roles', ...rolesAfter(tokensOf(definition), 'FOR'));
    const library = LIBRARY.exec(definition)?.[1];
    if (library !== undefined) this.#add('libraries', library.replaceAll("''", "'"));
  }

  needs(): DumpNeeds {
    const sorted = Object.entries(this.#names).map(([kind, names]) => [kind, [...names].sort()]);
    return Object.fromEntries(sorted) as DumpNeeds;
  }

  #addPrivileges(definition: string): void {
    for (const statement of statementsOf(tokensOf(definition))) {
      const words = statement.map(({ word }) => word);
      if (words[0] === 'SET') this.#add('grantors', ...rolesAfter(statement, 'AUTHORIZATION'));
      if (words[0] === 'ALTER') this.#add('grantors', ...rolesAfter(statement, 'ROLE'));
      this.#add('grantees', ...rolesAfter(statement, words.includes('REVOKE') ? 'FROM' : 'TO'));
    }
  }

  #add(kind: keyof DumpNeeds, ...names: string[]): void {
    for (const name of names) if (this.#names[kind].size < MAX_NAMES) this.#names[kind].add(name);
  }
}

/** The library of a function in C, as pg_dump writes it: the language, perhaps other attributes, then the library. */
const LIBRARY =
  /^CREATE (?:FUNCTION|PROCEDURE) [^\n]*\n {4}LANGUAGE c\b[^\n]*(?:\n {4}SET [^\n]*)*\n {4}AS '((?:[^']|'')+)', /;

interface Token {
  /** A keyword or symbol in upper case; undefined for a quoted name or a string. */
  word: string | undefined;
  /** A name without its quotes; undefined for a symbol or a string. */
  name: string | undefined;
  /** How many parentheses are open. */
  depth: number;
}

const TOKEN =
  /"((?:[^"]|"")*)"|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\2\$|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|\S/g;

function tokensOf(text: string): Token[] {
  let depth = 0;
  return [...text.matchAll(TOKEN)].map(([whole, quoted, , plain]) => {
    if (whole === ')') depth--;
    const token = {
      word: quoted === undefined && !whole.startsWith("'") ? whole.toUpperCase() : undefined,
      name: quoted?.replaceAll('""', '"') ?? plain,
      depth,
    };
    if (whole === '(') depth++;
    return token;
  });
}

function* statementsOf(tokens: Token[]): Generator<Token[]> {
  let statement: Token[] = [];
  for (const token of tokens) {
    if (token.word !== ';') statement.push(token);
    else {
      yield statement;
      statement = [];
    }
  }
  yield statement;
}

/** The roles in the list after the first keyword outside of parentheses. PUBLIC is none. */
function rolesAfter(tokens: Token[], keyword: string): string[] {
  const at = tokens.findIndex(({ word, depth }) => word === keyword && depth === 0);
  if (at < 0) return [];
  const roles: string[] = [];
  for (let next = at + 1; ; next += 2) {
    if (tokens[next]?.word === 'GROUP') next++;
    const { word, name } = tokens[next] ?? {};
    if (name !== undefined && word !== 'PUBLIC') roles.push(name);
    if (tokens[next + 1]?.word !== ',') return roles;
  }
}
