import { basename } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';
import { waysInWords } from './ways.ts';

type SerializedErrors = Parameters<NonNullable<Reporter['onTestRunEnd']>>[1];
type ConsoleLog = Parameters<NonNullable<Reporter['onUserConsoleLog']>>[0];

/**
 * Prints what failed as it fails, and at the end one line for each check and one for the ways of each client's turns; the very last
 * line has the two counts.
 */
export class TableReporter implements Reporter {
  onUserConsoleLog(log: ConsoleLog): void {
    process.stdout.write(log.content);
  }

  onTestCaseResult(testCase: TestCase): void {
    const { state, errors } = testCase.result();
    if (state !== 'failed') return;
    process.stdout.write(`\nFAILED: ${nameOf(testCase)}\n`);
    for (const error of errors) printError(error);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: SerializedErrors): void {
    const lines: Array<{ isOk: boolean; name: string }> = [];
    const addBroken = (name: string, errors: SerializedErrors) => {
      if (errors.length === 0) return;
      lines.push({ isOk: false, name });
      for (const error of errors) printError(error);
    };
    for (const module of modules) {
      for (const suite of module.children.allSuites()) addBroken(`${nameOf(suite)} (setting up)`, suite.errors());
      // A check that was never reached says nothing, so it does not pass.
      for (const testCase of module.children.allTests()) {
        lines.push({ isOk: testCase.result().state === 'passed', name: nameOf(testCase) });
      }
      addBroken(`${module.relativeModuleId} (setting up)`, module.errors());
    }
    addBroken('an error outside all checks', unhandled);

    const failed = lines.filter(({ isOk }) => !isOk).length;
    process.stdout.write('\n');
    for (const { isOk, name } of lines) process.stdout.write(`${isOk ? 'ok    ' : 'FAILED'}  ${name}\n`);
    for (const module of modules) process.stdout.write(waysLine(module));
    process.stdout.write(`\n${lines.length - failed} passed, ${failed} failed\n`);
    if (lines.length === 0 || failed > 0) process.exitCode = 1;
  }
}

/** The client that it is about, and what it says of it. */
function nameOf(check: TestCase | TestSuite): string {
  return `${basename(check.module.moduleId, '.client.ts')} > ${check.fullName}`;
}

function waysLine(module: TestModule): string {
  const { ways } = module.meta();
  return ways ? `paths   ${basename(module.moduleId, '.client.ts')}: ${waysInWords(ways)}\n` : '';
}

function printError(error: { message: string; diff?: string | undefined; stack?: string | undefined }): void {
  process.stdout.write(`${error.message}\n${error.diff ?? error.stack ?? ''}\n`);
}
