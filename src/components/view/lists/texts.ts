import { sanitize } from '../../../core/text/sanitize.ts';
import type { Span } from '../../text/line.ts';
import type { Snapshot } from '../types.ts';
import type { RowText } from './filter.ts';
import { currentReads, type Reads, trackReads } from './tracked.ts';

/** A column, as far as its text matters. */
export interface TextColumn<T> {
  cell(record: T, snapshot: Snapshot, columns: number): Span | readonly Span[];
}

interface KnownText extends RowText {
  cells: readonly string[];
  /** What each cell was made of; records with the same share the list. */
  reads: readonly Reads[];
}

/** The spans of a cell; in their longest form unless a width is given. */
export function spansOf<T>(
  column: TextColumn<T>,
  record: T,
  snapshot: Snapshot,
  columns = Number.POSITIVE_INFINITY,
): readonly Span[] {
  const cell = column.cell(record, snapshot, columns);
  return 'text' in cell ? [cell] : cell;
}

/** The texts of records in the visible columns. Each is kept until something changes that it was made of. */
export function createTexts<T extends object>(): (
  shown: readonly TextColumn<T>[],
  snapshot: Snapshot,
) => (record: T) => RowText {
  let columns: readonly TextColumn<T>[] = [];
  let known = new WeakMap<T, KnownText>();

  return (shown, snapshot) => {
    if (shown.length !== columns.length || shown.some((column, index) => column !== columns[index])) {
      columns = shown;
      known = new WeakMap();
    }
    const track = trackReads(snapshot);
    const isCurrent = currentReads(snapshot);
    const current = new Map<readonly Reads[], boolean>();
    let shared: readonly Reads[] = [];

    function allCurrent(reads: readonly Reads[]): boolean {
      const all = current.get(reads) ?? reads.every(isCurrent);
      current.set(reads, all);
      return all;
    }

    function share(reads: readonly Reads[]): readonly Reads[] {
      const same = reads.length === shared.length && reads.every((one, index) => one === shared[index]);
      if (!same) shared = reads;
      return shared;
    }

    function renew(record: T, last: KnownText | undefined): KnownText {
      const reads: Reads[] = [];
      const cells = columns.map((column, index) => {
        const [before, readBefore] = [last?.cells[index], last?.reads[index]];
        if (before !== undefined && readBefore && isCurrent(readBefore)) {
          reads.push(readBefore);
          return before;
        }
        const [spans, read] = track((tracked) => spansOf(column, record, tracked));
        reads.push(read);
        return sanitize(spans.length === 1 ? (spans[0]?.text ?? '') : spans.map(({ text }) => text).join(''));
      });
      const text = cells.join('\n');
      return { text, lower: text.toLowerCase(), cells, reads: share(reads) };
    }

    return (record) => {
      const last = known.get(record);
      if (last && allCurrent(last.reads)) return last;
      const row = renew(record, last);
      known.set(record, row);
      return row;
    };
  };
}
