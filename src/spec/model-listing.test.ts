import { expect, test } from 'vitest';
import { MODEL_NAME } from './model-listing.ts';

test.each([
  ['claude-3-7-sonnet-20250219', true],
  ['us.anthropic.claude-opus-6-v1:0', true],
  ['arn:aws:bedrock:us-east-1:1:application-inference-profile/a1b2', true],
  ['our-deployment', true],
  ['vendor/model@2', true],
  ['x'.repeat(256), true],
  ['x'.repeat(257), false],
  ['', false],
  ['two words', false],
  ['line\nbreak', false],
  ['modèle', false],
])('%s may be a model: %s', (name, expected) => {
  expect(MODEL_NAME.test(name)).toBe(expected);
});
