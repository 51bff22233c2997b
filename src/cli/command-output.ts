/**
 * Output of commands: tables and text on a terminal, NDJSON in a pipe, one object a line. Text from other parties is made
 * printable here, so that a tool's description cannot move the cursor.
 */
import { styleText } from 'node:util';
import { type Column, tableLines } from './terminal/table.ts';

export type { Column } from './terminal/table.ts';

/** An output stream, such as `process.stdout`. */
export interface OutputStream {
  write(text: string): boolean;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  /** Whether the terminal and `NO_COLOR` allow colours. */
  hasColors?: (() => boolean) | undefined;
}

/** Emphasis of a text on a terminal with colours. */
export type Tone = 'good' | 'bad' | 'quiet' | 'strong';

/** The output of a command. */
export interface CommandOutput {
  /** Whether output is for a person: on a terminal, and without `--json`. */
  readonly isTerminal: boolean;
  /** Prints NDJSON from now on, also on a terminal. */
  useJson(): void;
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
const columnsDefault = 80;

/** Creates the output on a stream. */
export function createCommandOutput(stream: OutputStream): CommandOutput {
  let isTerminal = stream.isTTY === true;
  const print = (line: string) => stream.write(`${line}\n`);
  const tone = (name: Tone, text: string) =>
    isTerminal && stream.hasColors?.() === true ? styleText(styles[name], text, { validateStream: false }) : text;
  const width = () => stream.columns ?? columnsDefault;
  const asJson = (values: readonly object[]) => {
    for (const value of values) print(JSON.stringify(value));
  };
  const printAll = (lines: readonly string[]) => {
    for (const line of lines) print(line);
  };
  return {
    get isTerminal() {
      return isTerminal;
    },
    useJson: () => {
      isTerminal = false;
    },
    tone,
    raw: (text) => stream.write(text),
    record: (value, lines) => (isTerminal ? printAll(lines) : asJson([value])),
    rows: (further, columns) => (isTerminal ? printAll(tableLines(further, columns, width()).lines) : asJson(further)),
    table: (all, columns, whenEmpty) => {
      if (!isTerminal) return asJson(all);
      if (all.length === 0) return void print(tone('quiet', whenEmpty));
      const { heading, lines } = tableLines(all, columns, width());
      if (heading !== '') print(tone('strong', heading));
      printAll(lines);
    },
  };
}
