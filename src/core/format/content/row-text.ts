import { TEXT_OF_FIELDS } from '../../policy/log-columns.ts';
import type { ArchiveRow } from './archive-row.ts';
import { decodeBytes, readMembers } from './json-scan.ts';

const QUOTE = 0x22;
const NO_FIELDS = '{}';

/** What stands for a row in lists and searches. */
export interface RowText {
  text: Buffer;
  /** The original line, or else the text of the fields: as the server kept it, or the fields themselves. Null: nothing. */
  from: 'raw' | 'norm_log' | 'fields' | null;
}

/** The original line of a row; if that was not kept, the text of its fields. */
export function rowText({ raw, fields, cols }: Pick<ArchiveRow, 'raw' | 'fields' | 'cols'>): RowText {
  if (raw.length > 0) return { text: raw, from: 'raw' };
  const kept =
    cols && readMembers(cols).findLast(({ key, start }) => key === TEXT_OF_FIELDS && cols[start] === QUOTE);
  if (cols && kept) {
    const text = decodeBytes(cols, kept);
    if (text.length > 0) return { text, from: 'norm_log' };
  }
  if (fields && fields.toString('latin1', 0, NO_FIELDS.length) !== NO_FIELDS)
    return { text: fields, from: 'fields' };
  return { text: raw, from: null };
}
