/** How a value is meant: screens and terminals choose the color. */
export type Tone = 'good' | 'warning' | 'danger' | 'muted';

/** One line of a plan or a summary: what the command line and the console both show. */
export interface Row {
  label: string;
  value: string;
  tone?: Tone;
}

/** The items of a job as its title names them: the one, or how many. */
export function countOf(names: readonly string[], noun: string): string {
  const [first] = names;
  return names.length === 1 && first !== undefined ? first : `${names.length} ${noun}s`;
}
