import { expect, test } from 'vitest';
import { generationOf } from './model-generation.ts';

const NEWEST = 99;

test.each<[string, string | undefined, number]>([
  ['claude-sonnet-4-5-20250929', 'sonnet', 4.5],
  ['claude-sonnet-4-20250514', 'sonnet', 4],
  ['claude-opus-5-5[1m]', 'opus', 5.5],
  ['claude-3-7-sonnet-20250219', 'sonnet', 3.7],
  ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 'haiku', 4.5],
  ['arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-opus-4-6-v1', 'opus', 4.6],
  ['claude-opus-4-1@20250805', 'opus', 4.1],
  ['claude-opus-4@20250514', 'opus', 4],
  ['opus', 'opus', NEWEST],
  ['sonnet[1m]', 'sonnet', NEWEST],
  ['haiku', 'haiku', NEWEST],
  ['opusplan', 'sonnet', NEWEST],
  ['default', 'opus', NEWEST],
  ['arn:aws:bedrock:us-east-1:1:application-inference-profile/abc', undefined, NEWEST],
  ['my-deployment', undefined, NEWEST],
])('%s', (model, line, version) => {
  expect(generationOf(model)).toEqual({ line, version });
});
