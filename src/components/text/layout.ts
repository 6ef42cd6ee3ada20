interface Size {
  columns: number;
  rows: number;
}

/** The smallest usable terminal. */
export const MIN_SIZE: Size = { columns: 60, rows: 14 };

/** Lines above and below the body: installation, tabs, title; status, footer. */
const CHROME = 5;

export function isTooSmall({ columns, rows }: Size): boolean {
  return columns < MIN_SIZE.columns || rows < MIN_SIZE.rows;
}

/** Lines available to the body. */
export function bodyHeight({ rows }: Pick<Size, 'rows'>): number {
  return Math.max(1, rows - CHROME);
}

/** Rows of a table that fit into the body, below the column titles. */
export function tableHeight(snapshot: Pick<Size, 'rows'>): number {
  return Math.max(1, bodyHeight(snapshot) - 1);
}

/** Columns of a table for the cursor, the selection mark, and the right margin. */
export const TABLE_MARGINS = 3;

/** Layout of a column. Widths depend on the kind of content only, so that a refresh never moves a column. */
export interface ColumnShape {
  id: string;
  title: string;
  width: number;
  align?: 'left' | 'right';
  /** Share of the remaining width. */
  grow?: number;
  /** On a narrow terminal, columns with the highest number are dropped first; without one, a column always stays. */
  drop?: number;
}

export interface SizedColumn<Shape extends ColumnShape> {
  shape: Shape;
  width: number;
}

const GAP = 2;
function needed(shapes: readonly ColumnShape[]): number {
  return shapes.reduce((sum, shape) => sum + shape.width + GAP, -GAP);
}

function dropLeastImportant<Shape extends ColumnShape>(
  shapes: readonly Shape[],
): readonly Shape[] | undefined {
  const highest = shapes.reduce((drop, shape) => Math.max(drop, shape.drop ?? 0), 0);
  return highest === 0 ? undefined : shapes.filter((shape) => shape.drop !== highest);
}

/** The columns that fit into `columns`, with their widths; two spaces separate them. */
export function layOutColumns<Shape extends ColumnShape>(
  shapes: readonly Shape[],
  columns: number,
): SizedColumn<Shape>[] {
  if (needed(shapes) > columns) {
    const fewer = dropLeastImportant(shapes);
    if (fewer) return layOutColumns(fewer, columns);
  }
  const free = Math.max(0, columns - needed(shapes));
  const shares = shapes.reduce((sum, shape) => sum + (shape.grow ?? 0), 0);
  let used = 0;
  let sharesSoFar = 0;
  return shapes.map((shape) => {
    sharesSoFar += shape.grow ?? 0;
    const upTo = shares === 0 ? 0 : Math.floor((free * sharesSoFar) / shares);
    const extra = upTo - used;
    used = upTo;
    return { shape, width: shape.width + extra };
  });
}

/** First row of a window of `height` rows that shows row `index`, scrolled as little as possible. */
export function scrollTop(top: number, index: number, height: number, count: number): number {
  const highest = Math.max(0, count - height);
  const low = Math.max(0, index - height + 1);
  return Math.max(0, Math.min(highest, Math.max(low, Math.min(top, index))));
}
