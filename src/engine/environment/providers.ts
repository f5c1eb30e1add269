import type { Environment } from './environment.ts';

/** A cloud or gateway that has the model, besides Anthropic's own API. */
export interface Provider {
  /** The variable that turns it on. */
  switch: string;
  /** The variable that turns its own authentication off, for a proxy that adds it. */
  skipsAuth?: string;
  title: string;
  /** The values of `anthropic-beta` that Claude Code passes on to it; all, if there is no list. */
  betas?: readonly string[];
}

/** The betas that reach most of these providers. Claude Code drops the others that we pass on. */
const BETAS_OF_CLOUDS: readonly string[] = [
  'effort-2025-11-24',
  'structured-outputs-2025-12-15',
  'thinking-display-updates-2026-08-18',
  'thinking-token-count-2026-05-13',
];

/** By the SDK's names. If several are turned on, Claude Code takes the first. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  gateway: {
    switch: 'CLAUDE_CODE_USE_GATEWAY',
    title: 'Gateway',
    betas: BETAS_OF_CLOUDS,
  },
  bedrock: {
    switch: 'CLAUDE_CODE_USE_BEDROCK',
    skipsAuth: 'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
    title: 'Amazon Bedrock',
    betas: BETAS_OF_CLOUDS,
  },
  foundry: {
    switch: 'CLAUDE_CODE_USE_FOUNDRY',
    skipsAuth: 'CLAUDE_CODE_SKIP_FOUNDRY_AUTH',
    title: 'Microsoft Foundry',
  },
  anthropicAws: {
    switch: 'CLAUDE_CODE_USE_ANTHROPIC_AWS',
    skipsAuth: 'CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH',
    title: 'Claude Platform on AWS',
  },
  anthropicGoogleCloud: {
    switch: 'CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD',
    skipsAuth: 'CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH',
    title: 'Claude Platform on Google Cloud',
  },
  mantle: {
    switch: 'CLAUDE_CODE_USE_MANTLE',
    skipsAuth: 'CLAUDE_CODE_SKIP_MANTLE_AUTH',
    title: 'Amazon Bedrock (Mantle)',
    betas: BETAS_OF_CLOUDS,
  },
  vertex: {
    switch: 'CLAUDE_CODE_USE_VERTEX',
    skipsAuth: 'CLAUDE_CODE_SKIP_VERTEX_AUTH',
    title: 'Google Vertex AI',
    betas: BETAS_OF_CLOUDS,
  },
};

/** Whether an environment turns one on. */
export function usesProvider(variables: Environment): boolean {
  return Object.values(PROVIDERS).some((provider) => isOn(variables[provider.switch]));
}

/**
 * Whether Claude Code passes a value of `anthropic-beta` on.
 *
 * @param name of the provider, in the SDK's words
 */
export function passesBeta(name: string | undefined, value: string): boolean {
  return PROVIDERS[name ?? '']?.betas?.includes(value) ?? true;
}

/** Reads a switch as Claude Code does. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes', 'on'].includes(value.trim().toLowerCase());
}
