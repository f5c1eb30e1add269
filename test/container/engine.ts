import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, until } from '../support/gateway.ts';

/** A Docker engine of the test's own, and an image in the place of the official one of Node, which needs a registry. */

const isThere = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Why the Dockerfile cannot be tried here; undefined where it can. Debian's packages have these names. */
export const NO_ENGINE =
  (process.getuid?.() !== 0 && 'only root can run an engine') ||
  (!isThere('dockerd', '--version') && 'docker.io is not installed') ||
  (!isThere('iptables', '--version') && 'iptables is not installed') ||
  (!isThere('mmdebstrap', '--version') && 'mmdebstrap is not installed') ||
  undefined;

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** What `node:24-bookworm-slim` has, of the Node that runs this test. It trusts whom this machine trusts. */
const STAND_IN = `FROM isthmus-test-debian
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY certificates.crt ${CERTIFICATES}
ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node \\
  && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
`;

export class Engine {
  readonly folder = mkdtempSync(join(tmpdir(), 'isthmus-engine-'));
  #daemon: ChildProcess | undefined;

  async start(): Promise<void> {
    const own = (name: string) => join(this.folder, name);
    const folders = ['--data-root', own('data'), '--exec-root', own('exec'), '--pidfile', own('pid')];
    // Its words would hide those of the test.
    this.#daemon = spawn('dockerd', [...folders, '--host', this.#host], { stdio: 'ignore' });
    await until('the engine answers', () => spawnSync('docker', ['--host', this.#host, 'version']).status === 0);
  }

  get #host(): string {
    return `unix://${join(this.folder, 'socket')}`;
  }

  /** Runs `docker`. @returns its output. */
  docker(...args: string[]): string {
    const { code, output, words } = this.#run(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${words}`);
    return output.trim();
  }

  /** The same for a command that may fail: both outputs and the exit code. */
  try(...args: string[]): { code: number | null; output: string } {
    const { code, output, words } = this.#run(args);
    return { code, output: output + words };
  }

  #run(args: readonly string[]): { code: number | null; output: string; words: string } {
    const maxBuffer = 64 * 1024 * 1024;
    const { status, stdout, stderr } = spawnSync('docker', ['--host', this.#host, ...args], {
      encoding: 'utf8',
      maxBuffer,
    });
    return { code: status, output: stdout, words: stderr };
  }

  /** Builds the product's image by its Dockerfile. */
  buildImage(): void {
    const root = join(this.folder, 'debian.tar');
    execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', '--include=ca-certificates', 'bookworm', root]);
    this.docker('import', root, 'isthmus-test-debian');
    const context = join(this.folder, 'node');
    mkdirSync(context);
    cpSync(realpathSync(process.execPath), join(context, 'node'));
    cpSync(npmFolder(), join(context, 'npm'), { recursive: true, dereference: true });
    cpSync(CERTIFICATES, join(context, 'certificates.crt'), { dereference: true });
    writeFileSync(join(context, 'Dockerfile'), STAND_IN);
    this.docker('build', '--tag', 'isthmus-test-node', context);
    const base = ['--build-arg', 'NODE_IMAGE=isthmus-test-node'];
    this.docker('build', ...base, '--tag', 'isthmus', '--file', join(ROOT, 'container', 'Dockerfile'), ROOT);
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    const exited = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Beside the Node that runs this. */
function npmFolder(): string {
  const places = ['lib/node_modules/npm', '../lib/node_modules/npm'];
  const prefix = dirname(realpathSync(process.execPath));
  const found = places.map((place) => join(prefix, place)).find(existsSync);
  if (found === undefined) throw new Error(`There is no npm beside ${process.execPath}.`);
  return found;
}
