/**
 * Output of commands: tables and text on a terminal, NDJSON in a pipe, one object a line. Text from other parties is made
 * printable here, so that a tool's description cannot move the cursor.
 */
import { styleText } from 'node:util';
import { printable, truncated } from '../shapes/text.ts';

/** An output stream, such as `process.stdout`. */
export interface OutputStream {
  write(text: string): boolean;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  /** Whether the terminal and `NO_COLOR` allow colours. */
  hasColors?: (() => boolean) | undefined;
}

/** One column of a table: its heading, and the text of a row's cell. */
export interface Column<Row> {
  title: string;
  cell: (row: Row) => string | number | undefined;
}

/** Emphasis of a text on a terminal with colours. */
export type Tone = 'good' | 'bad' | 'quiet' | 'strong';

/** The output of a command. */
export interface CommandOutput {
  readonly isTerminal: boolean;
  /** Prints one object: in a pipe as a line of JSON, on a terminal as these lines. */
  record(value: object, lines: readonly string[]): void;
  /** Prints rows: in a pipe as a line of JSON each, on a terminal as a table, or `whenEmpty` if there are none. */
  table<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[], whenEmpty: string): void;
  /** Prints further rows of a table, without headings. */
  rows<Row extends object>(rows: readonly Row[], columns: readonly Column<Row>[]): void;
  /** Prints text unchanged. */
  raw(text: string): void;
  tone(tone: Tone, text: string): string;
}

const styles = { good: 'green', bad: 'red', quiet: 'dim', strong: 'bold' } as const;
const columnsDefault = 100;
const gap = '  ';

/** Creates the output on a stream. */
export function createCommandOutput(stream: OutputStream): CommandOutput {
  const isTerminal = stream.isTTY === true;
  const hasColors = isTerminal && stream.hasColors?.() === true;
  const print = (line: string) => stream.write(`${line}\n`);
  const tone = (name: Tone, text: string) =>
    hasColors ? styleText(styles[name], text, { validateStream: false }) : text;
  const rows: CommandOutput['rows'] = (further, columns) => {
    const lines = isTerminal
      ? tableLines(further, columns, stream.columns ?? columnsDefault).slice(1)
      : further.map((row) => JSON.stringify(row));
    for (const line of lines) print(line);
  };
  return {
    isTerminal,
    tone,
    rows,
    raw: (text) => stream.write(text),
    record: (value, lines) => {
      if (!isTerminal) return void print(JSON.stringify(value));
      for (const line of lines) print(line);
    },
    table: (all, columns, whenEmpty) => {
      if (isTerminal && all.length === 0) return void print(tone('quiet', whenEmpty));
      if (isTerminal) print(tone('strong', tableLines(all, columns, stream.columns ?? columnsDefault)[0] ?? ''));
      rows(all, columns);
    },
  };
}

/** Aligns columns and truncates each line to the width of the terminal, so that the last column is cut first. */
function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => printable(String(cell(row) ?? '')))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells.map((line) => {
    const padded = line.map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)));
    return truncated(padded.join(gap), width);
  });
}
