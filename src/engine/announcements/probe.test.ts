import { expect, test } from 'vitest';
import { buildEnvironment, type Environment } from '../environment/environment.ts';
import type { NewProcessContents, ProcessMaker } from '../process/process-maker.ts';
import { probeBy } from './probe.ts';

const OPERATOR = {
  CLAUDE_CODE_OAUTH_TOKEN: 'the operator’s',
  ANTHROPIC_BASE_URL: 'https://api.example.test',
  HTTPS_PROXY: 'http://proxy.example.test',
  http_proxy: 'http://proxy.example.test',
  ALL_PROXY: 'http://proxy.example.test',
  NO_PROXY: '',
  NODE_EXTRA_CA_CERTS: '/certificates',
};

/** The environment in which a probe would be spawned. */
async function probedIn(ofLogin: boolean): Promise<Environment> {
  const environment = buildEnvironment({ operator: OPERATOR, id: 'a', isOwnAddress: () => false });
  let given: Environment = {};
  const create = (contents: NewProcessContents) => {
    given = contents.environment ?? {};
    throw new Error('nothing is spawned here');
  };
  const maker = { environment, create } as unknown as ProcessMaker;
  await expect(probeBy(maker)('claude-sonnet-5', ofLogin)).rejects.toThrow('nothing is spawned');
  return given;
}

test.each([true, false])('all that a probe sends goes to one port of ours; of a login: %s', async (ofLogin) => {
  const { ANTHROPIC_BASE_URL: url, ...given } = await probedIn(ofLogin);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    expect(given).toMatchObject({ [name]: url, [name.toLowerCase()]: url });
  }
  expect(JSON.stringify(given)).not.toContain('example.test');
});

test('a probe has a dummy token and nothing else of the operator’s that steers or pays', async () => {
  const given = await probedIn(false);
  expect(given.CLAUDE_CODE_OAUTH_TOKEN).toBe('sk-ant-oat01-probe-of-isthmus');
  expect(given).not.toHaveProperty('NODE_EXTRA_CA_CERTS');
  expect(JSON.stringify(given)).not.toContain('the operator’s');
});
