/** How a column wants to be. Widths are fixed by the kind of content, so that no refresh moves a column. */
export interface ColumnShape {
  id: string;
  title: string;
  width: number;
  align?: 'left' | 'right';
  /** Share of what is left over. */
  grow?: number;
  /** The higher, the sooner the column gives way on a narrow terminal; without it, it stays. */
  drop?: number;
}

export interface PlacedColumn<Shape extends ColumnShape> {
  shape: Shape;
  width: number;
}

const GAP = 2;

function needed(shapes: readonly ColumnShape[]): number {
  return shapes.reduce((sum, shape) => sum + shape.width + GAP, -GAP);
}

function withoutLeastWanted<Shape extends ColumnShape>(
  shapes: readonly Shape[],
): readonly Shape[] | undefined {
  const worst = shapes.reduce((drop, shape) => Math.max(drop, shape.drop ?? 0), 0);
  return worst === 0 ? undefined : shapes.filter((shape) => shape.drop !== worst);
}

/** The columns that fit into `columns`, each with its width, two spaces between them. */
export function placeColumns<Shape extends ColumnShape>(
  shapes: readonly Shape[],
  columns: number,
): PlacedColumn<Shape>[] {
  if (needed(shapes) > columns) {
    const fewer = withoutLeastWanted(shapes);
    if (fewer) return placeColumns(fewer, columns);
  }
  const spare = Math.max(0, columns - needed(shapes));
  const shares = shapes.reduce((sum, shape) => sum + (shape.grow ?? 0), 0);
  let given = 0;
  let seen = 0;
  return shapes.map((shape) => {
    seen += shape.grow ?? 0;
    const upTo = shares === 0 ? 0 : Math.floor((spare * seen) / shares);
    const extra = upTo - given;
    given = upTo;
    return { shape, width: shape.width + extra };
  });
}

/** First row of a window of `height` rows that shows row `index`, moving as little as it must. */
export function scrollTop(top: number, index: number, height: number, count: number): number {
  const highest = Math.max(0, count - height);
  const low = Math.max(0, index - height + 1);
  return Math.max(0, Math.min(highest, Math.max(low, Math.min(top, index))));
}
