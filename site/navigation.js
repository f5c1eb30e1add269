/** The pages of the site, in the order of its navigation. A page of `docs` that no group names ends up under "Guides". */
export const GROUPS = [
  {
    title: 'Begin',
    pages: [
      'README.md',
      'docs/quick-start.md',
      'docs/launch.md',
      'docs/clients.md',
      'docs/setup.md',
      'docs/credentials.md',
    ],
  },
  {
    title: 'Guides',
    pages: [
      'docs/troubleshooting.md',
      'docs/agents.md',
      'docs/service.md',
      'docs/container.md',
      'docs/behind-a-proxy.md',
      'docs/library.md',
      'docs/offline-testing.md',
      'docs/coming-from-meridian.md',
    ],
  },
  {
    title: 'Reference',
    pages: [
      'docs/http.md',
      'docs/headers.md',
      'docs/parameters.md',
      'docs/openai.md',
      'docs/errors.md',
      'docs/cli.md',
      'docs/config.md',
      'docs/limits.md',
    ],
  },
  { title: 'Trust', pages: ['SECURITY.md', 'docs/security.md', 'docs/terms.md'] },
  {
    title: 'How it works',
    pages: ['ARCHITECTURE.md', 'docs/glossary.md', 'docs/decisions/README.md', 'docs/benchmark.md'],
  },
  {
    title: 'Work on it',
    pages: ['CONTRIBUTING.md', 'test/README.md', 'docs/newcomers-walk.md', 'test/outside/TABLE.md', 'CHANGELOG.md'],
  },
];

/** What the navigation calls a page whose heading is longer, or says something else. */
export const NAMES = {
  'README.md': 'What Isthmus is',
  'test/README.md': 'The tests',
  'docs/benchmark.md': 'Benchmark',
  'docs/coming-from-meridian.md': 'Coming from meridian',
  'docs/parameters.md': 'Parameters',
  'docs/library.md': 'In a program of your own',
  'docs/limits.md': 'What the SDK cannot carry',
  'docs/security.md': 'Threat model',
  'docs/newcomers-walk.md': 'A newcomer’s walk',
  'test/outside/TABLE.md': 'Outside suites',
};
