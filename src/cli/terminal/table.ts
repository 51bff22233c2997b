/** Tables on a terminal: aligned columns that fit its width without cutting a figure. */
import { printable, truncated } from '../../shapes/text.ts';

/** One column of a table: its heading, and the text of a row's cell. */
export interface Column<Row> {
  title: string;
  cell: (row: Row) => string | number | undefined;
  /** Whether its texts may be cut. The cells of other columns are shown completely: ids, figures, times, states. */
  isText?: boolean;
}

/** What a table looks like: its heading, empty where each row is a block of lines, and the lines of the rows. */
export interface TableLines {
  heading: string;
  lines: string[];
}

const gap = '  ';
/** The narrowest that a column of texts becomes, in characters. */
const textWidthMin = 12;

/**
 * Aligns columns, numbers to the right. A table that is too wide has its columns of texts cut, the widest first. Where that
 * does not suffice, each row becomes a block with a line for each cell.
 */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): TableLines {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const texts = cells.map((row) => row.map((cell) => printable(String(cell ?? ''))));
  const titles = columns.map(({ title }) => title);
  const isNumber = columns.map((_, at) => cells.length > 0 && cells.every((row) => typeof row[at] === 'number'));
  const natural = columns.map((_, at) => Math.max(...[titles, ...texts].map((line) => line[at]?.length ?? 0)));
  const widths = fittingWidths(natural, columns, width);
  if (widths === undefined) return { heading: '', lines: texts.flatMap((row) => block(row, titles, width)) };
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => {
        const cut = truncated(cell, widths[at] ?? 0);
        return isNumber[at] ? cut.padStart(widths[at] ?? 0) : cut.padEnd(widths[at] ?? 0);
      })
      .join(gap)
      .trimEnd();
  return { heading: line(titles), lines: texts.map(line) };
}

/** The widths of the columns; undefined if they cannot fit. */
function fittingWidths<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] | undefined {
  const widths = [...natural];
  const total = () => widths.reduce((sum, one) => sum + one, 0) + gap.length * (widths.length - 1);
  while (total() > width) {
    const widest = columns
      .map(({ isText }, at) => ({ at, width: isText === true ? (widths[at] ?? 0) : 0 }))
      .reduce((left, right) => (right.width > left.width ? right : left), { at: 0, width: 0 });
    if (widest.width <= textWidthMin) return undefined;
    widths[widest.at] = Math.max(textWidthMin, widest.width - (total() - width));
  }
  return widths;
}

/** A row as lines of title and cell. Empty cells are left out. Long cells are wrapped by the terminal, not cut. */
function block(row: readonly string[], titles: readonly string[], width: number): string[] {
  const titleWidth = Math.max(...titles.map((title) => title.length));
  const lines = row.flatMap((cell, at) =>
    cell === '' ? [] : [`${(titles[at] ?? '').padEnd(titleWidth)}${gap}${cell}`],
  );
  return [...lines, '─'.repeat(Math.min(width, titleWidth + gap.length + textWidthMin))];
}
