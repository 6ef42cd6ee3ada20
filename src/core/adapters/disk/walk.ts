import type { Dirent } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { compareNames } from '../storage/object-name.ts';
import { errno } from './errors.ts';

/** A file below a folder: its relative path, with `/` as separator. */
export interface WalkedFile {
  path: string;
  /** Whether its name begins with a dot. */
  hidden: boolean;
}

/**
 * The files below a folder, sorted by path. Skips folders that cannot contain `prefix`, and does not enter hidden or
 * linked folders. A missing folder counts as empty.
 */
export async function* walkFiles(root: string, prefix: string, below = ''): AsyncGenerator<WalkedFile> {
  for (const entry of await sortedEntries(join(root, below))) {
    const path = below + entry.name;
    const hidden = entry.name.startsWith('.');
    if (!entry.isDirectory()) yield { path, hidden };
    else if (!hidden && reaches(`${path}/`, prefix)) yield* walkFiles(root, prefix, `${path}/`);
  }
}

function reaches(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) || prefix.startsWith(folder);
}

async function sortedEntries(folder: string): Promise<Dirent[]> {
  try {
    const entries = await fs.readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => compareNames(sortKey(a), sortKey(b)));
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A folder sorts like its files, with the slash. */
function sortKey(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}
