import type { Environment } from './environment.ts';

/** A provider of the model besides Anthropic's own API. */
export interface Provider {
  /** The variable that turns it on. */
  switch: string;
  /** The variable that turns its own authentication off, for a proxy that adds it. */
  skipsAuth: string;
  title: string;
  /** The values of `anthropic-beta` that Claude Code passes on to it; all, if there is no list. */
  betas?: readonly string[];
}

/** By the SDK's names. If several are turned on, Claude Code takes the first. */
export const PROVIDERS = {
  bedrock: {
    switch: 'CLAUDE_CODE_USE_BEDROCK',
    skipsAuth: 'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
    title: 'Amazon Bedrock',
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
  },
  vertex: {
    switch: 'CLAUDE_CODE_USE_VERTEX',
    skipsAuth: 'CLAUDE_CODE_SKIP_VERTEX_AUTH',
    title: 'Google Vertex AI',
    betas: [],
  },
} as const satisfies Record<string, Provider>;

export type ProviderName = keyof typeof PROVIDERS;

/** The provider that an environment turns on; undefined for Anthropic's own API. */
export function providerIn(variables: Environment): ProviderName | undefined {
  return (Object.keys(PROVIDERS) as ProviderName[]).find((name) => isOn(variables[PROVIDERS[name].switch]));
}

/** Whether Claude Code passes a value of `anthropic-beta` on to the provider. */
export function passesBeta(name: ProviderName | undefined, value: string): boolean {
  const provider: Provider | undefined = name && PROVIDERS[name];
  return provider?.betas?.includes(value) ?? true;
}

/** Reads a switch as Claude Code does. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes', 'on'].includes(value.trim().toLowerCase());
}
