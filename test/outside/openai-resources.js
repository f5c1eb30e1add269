// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installNode22 } from '../clients/install-node-22.js';
import { installPackages } from '../clients/install-packages.js';

const VERSION = '7.57.0';
const PROGRAM = fileURLToPath(new URL('openai-resources-program.js', import.meta.url));

/** The SDK's tests of its resources are not in its package: these are their calls, from its own list of methods. */
export const openAiResources = /** @satisfies {import('./suite.js').Suite} */ ({
  name: 'openai-resources',
  title: `the resource calls of \`openai\` ${VERSION}`,
  about: `Each method of \`chat.completions\`, \`responses\` and \`models\`, called as the SDK's own tests call it, and the
helpers over them. Of each other family of resources one method is called. It passes when the SDK gets what it takes for the
answer. The SDK runs on Node 22, which it needs.`,
  async run({ url, cache }) {
    const folder = await installPackages(cache, [`openai@${VERSION}`]);
    const entry = pathToFileURL(join(folder, 'node_modules', 'openai', 'index.mjs'));
    const child = spawn(await installNode22(cache), [PROGRAM, entry.href, url], {
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return JSON.parse(printed);
  },
});
