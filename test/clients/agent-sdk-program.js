// @ts-check
import { query } from '@anthropic-ai/claude-agent-sdk';

// A program on the Agent SDK: asks what its argument says, `{prompt, options}` as JSON, and prints each message as a line.

const { prompt, options } = JSON.parse(process.argv[2] ?? '{}');
for await (const message of query({ prompt, options })) process.stdout.write(`${JSON.stringify(message)}\n`);
