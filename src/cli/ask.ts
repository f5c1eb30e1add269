import { createInterface, type ReadLineOptions } from 'node:readline';

/**
 * Asks on a terminal for one line.
 *
 * @returns undefined if the person ends the question, by Ctrl-C or Ctrl-D
 */
export function ask(question: string, streams: ReadLineOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Not that of `readline/promises`: it rejects when a question is ended.
    const asking = createInterface(streams);
    let answer: string | undefined;
    asking.once('close', () => {
      if (answer === undefined) streams.output?.write('\n');
      resolve(answer);
    });
    asking.question(question, (line) => {
      answer = line;
      asking.close();
    });
  });
}
