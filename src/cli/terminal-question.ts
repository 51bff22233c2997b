/** Asks a question on a terminal. The answer to a secret one is not shown. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Prints the question and returns the line that is entered, without its line break. */
export type Ask = (question: string, options: { isSecret: boolean }) => Promise<string>;

/** Creates the question on a terminal. */
export function createAsk(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Ask {
  return async (question, { isSecret }) => {
    output.write(question);
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const terminal = createInterface({ input, output: isSecret ? silent : output, terminal: true });
    try {
      return (await terminal.question('')).trim();
    } finally {
      terminal.close();
      if (isSecret) output.write('\n');
    }
  };
}
