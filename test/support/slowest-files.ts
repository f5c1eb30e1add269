import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Says at the end of a run which files took the longest, their hooks and tests together, and how long the run took. */
export class SlowestFiles implements Reporter {
  readonly #begun = performance.now();

  onTestRunEnd(modules: readonly TestModule[]): void {
    const slowest = modules
      .map((module) => ({ name: module.relativeModuleId, seconds: module.diagnostic().duration / 1_000 }))
      .sort((one, other) => other.seconds - one.seconds)
      .slice(0, SHOWN);
    const lines = slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${name}`);
    const whole = `The run took ${Math.round((performance.now() - this.#begun) / 1_000)} s.`;
    console.log(['', 'The slowest files:', ...lines, whole, ''].join('\n'));
  }
}
