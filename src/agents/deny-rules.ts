import { SettingsError } from '../config/settings-error.ts';
import { similar } from '../config/similar.ts';

/** Files that hold secrets, as patterns below the workspace. */
const SECRETS = [
  '.env',
  '.env.*',
  '*.env',
  '.envrc',
  '*.pem',
  '*.key',
  '*.p8',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  'id_rsa*',
  'id_dsa*',
  'id_ecdsa*',
  'id_ed25519*',
  '.ssh/**',
  '.gnupg/**',
  '.aws/**',
  '.azure/**',
  '.kube/**',
  '.docker/config.json',
  '.config/gcloud/**',
  '.config/gh/**',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '_netrc',
  '.git-credentials',
  '.htpasswd',
  '.pgpass',
  '.my.cnf',
  '.vault-token',
  'credentials',
  'credentials.*',
  '.credentials.*',
  'secrets.*',
  'client_secret*.json',
  'service-account*.json',
  '*.tfstate',
  '*.tfstate.*',
  '*.tfvars',
];

/** Files that someone, or something, runs or obeys later without a look at them. Claude Code itself refuses some of them. */
const RUN_LATER = [
  'package.json',
  'Makefile',
  'makefile',
  'GNUmakefile',
  '*.mk',
  'justfile',
  'Justfile',
  'Taskfile.yml',
  'Rakefile',
  'Dockerfile',
  'Dockerfile.*',
  'docker-compose*.yml',
  'docker-compose*.yaml',
  'compose.yml',
  'compose.yaml',
  'setup.py',
  'conftest.py',
  'build.rs',
  'binding.gyp',
  '.git/**',
  '.gitattributes',
  '.gitmodules',
  '.githooks/**',
  '.husky/**',
  '.pre-commit-config.yaml',
  'lefthook.yml',
  '.github/workflows/**',
  '.github/actions/**',
  '.gitlab-ci.yml',
  '.circleci/**',
  '.ci/**',
  'Jenkinsfile',
  'azure-pipelines.yml',
  'bitbucket-pipelines.yml',
  '.envrc',
  '.npmrc',
  '.yarnrc.yml',
  '.bashrc',
  '.profile',
  '.zshrc',
  '.vscode/**',
  '.idea/**',
  '.devcontainer/**',
  'CLAUDE.md',
  'CLAUDE.local.md',
  '.claude/**',
  '.mcp.json',
  'AGENTS.md',
  'AGENT.md',
  'GEMINI.md',
  'QWEN.md',
  'opencode.json',
  'opencode.jsonc',
  '.opencode/**',
  '.cursor/**',
  '.cursorrules',
  '.windsurfrules',
  '.github/copilot-instructions.md',
];

/** `Write` obeys the rules of `Edit`; `Grep` and `Glob` those of `Read`. */
const rules = (tools: readonly string[], patterns: readonly string[]) =>
  patterns.flatMap((pattern) => tools.map((tool) => `${tool}(**/${pattern})`));

/** What stands for many rules in `deny`. */
export const DENY_PRESETS: Readonly<Record<string, readonly string[]>> = {
  secrets: rules(['Read', 'Edit'], SECRETS),
  'run-later': rules(['Edit'], RUN_LATER),
};

/** A tool, and what it must not be used for: `Read(**\/.env)`, `Bash(curl *)`, `WebFetch`, `mcp__server__tool`. */
const RULE = /^([A-Z][A-Za-z]*|mcp__[\w-]+)(?:\(([^\p{Cc}]*\S[^\p{Cc}]*)\))?$/u;

/** Tools that obey the file rules of another tool, by name: its rules are to be written for that one. */
const RULED_BY: Readonly<Record<string, string>> = {
  Write: 'Edit',
  MultiEdit: 'Edit',
  NotebookEdit: 'Edit',
  Glob: 'Read',
  Grep: 'Read',
};

/**
 * Replaces each preset in a list of `deny` by its rules.
 *
 * @param path of the list, for errors
 * @throws SettingsError for an entry that is neither a preset nor a rule
 */
export function writeOut(entries: readonly string[], path: string): string[] {
  const all = entries.flatMap((entry, index) => {
    const preset = Object.hasOwn(DENY_PRESETS, entry) ? DENY_PRESETS[entry] : undefined;
    if (preset) return preset;
    const problem = ruleProblem(entry);
    if (problem) throw new SettingsError(`${path}.${index} ${problem}`);
    return [entry];
  });
  return [...new Set(all)];
}

function ruleProblem(entry: string): string | undefined {
  const [, tool = '', files] = RULE.exec(entry) ?? [];
  if (tool === '') {
    const meant = similar(entry, Object.keys(DENY_PRESETS));
    return `is neither a rule, such as Read(**/.env), nor a preset (${Object.keys(DENY_PRESETS).join(', ')}).${meant ? ` Did you mean ${JSON.stringify(meant)}?` : ''}`;
  }
  const ruling = RULED_BY[tool];
  return files !== undefined && ruling
    ? `has no effect: ${tool} obeys the rules of ${ruling}. Write ${ruling}(${files}).`
    : undefined;
}
