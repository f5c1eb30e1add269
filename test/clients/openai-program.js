import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { tool as langChainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, tool as agentTool, OpenAIProvider, Runner, setTracingDisabled } from '@openai/agents';
import { tool as aiTool, generateText, isStepCount, Output, streamText } from 'ai';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

// A program on the clients of OpenAI's APIs, on Node 22: does what each message of its parent asks, and tells what came of it.

const MODEL = 'claude-sonnet-5';
const SYSTEM = 'You know the weather.';
const PARAMETERS = z.object({ city: z.string() });
const WEATHER = { name: 'weather', description: 'Tells the weather of a city' };
const skyOf = async ({ city }) => JSON.stringify({ city, sky: 'clear – 数' });
const RECIPE = z.object({ name: z.string(), steps: z.array(z.string()) });

setTracingDisabled(true);

const aiModel = {
  responses: (baseURL) => createOpenAI({ baseURL, apiKey: 'any' }).responses(MODEL),
  chat: (baseURL) => createOpenAICompatible({ name: 'isthmus', baseURL, apiKey: 'any' })(MODEL),
};

/** Each takes two prompts, and answers with the texts of both turns; the first one has a loop of tools. */
const conversations = {
  async 'openai chat'({ client, first, second }) {
    const request = { model: MODEL, tools: [zodFunction({ ...WEATHER, parameters: PARAMETERS, function: skyOf })] };
    const messages = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: first },
    ];
    const runner = client.chat.completions.runTools({ ...request, stream: true, messages });
    const answer = await runner.finalContent();
    const goesOn = [...runner.messages, { role: 'user', content: second }];
    const stream = client.chat.completions.stream({ ...request, messages: goesOn });
    return [answer, await stream.finalContent()];
  },

  async 'openai responses'({ client, first, second }) {
    const tools = [zodResponsesFunction({ ...WEATHER, parameters: PARAMETERS, function: skyOf })];
    const request = { model: MODEL, instructions: SYSTEM, tools, reasoning: { effort: 'low' } };
    const input = [{ role: 'user', content: first }];
    const asked = await client.responses.stream({ ...request, input, store: false }).finalResponse();
    input.push(...asked.output);
    for (const { type, call_id, parsed_arguments } of asked.output) {
      if (type !== 'function_call') continue;
      input.push({ type: 'function_call_output', call_id, output: await skyOf(parsed_arguments) });
    }
    const answer = await client.responses.parse({ ...request, input });
    const later = await client.responses.create({ ...request, previous_response_id: answer.id, input: second });
    return [answer.output_text, later.output_text];
  },

  'ai responses': (asked) => vercelAi(aiModel.responses(asked.baseURL), asked),
  'ai chat': (asked) => vercelAi(aiModel.chat(asked.baseURL), asked),

  async agents({ client, first, second }) {
    const agent = new Agent({
      name: 'Weather',
      model: MODEL,
      instructions: SYSTEM,
      tools: [agentTool({ ...WEATHER, parameters: PARAMETERS, execute: skyOf })],
    });
    const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: true }) });
    const run = await runner.run(agent, first, { stream: true });
    await run.completed;
    const later = await runner.run(agent, [...run.history, { role: 'user', content: second }]);
    return [run.finalOutput, later.finalOutput];
  },

  'langchain chat': (asked) => langChain(asked, false),
  'langchain responses': (asked) => langChain(asked, true),
};

/** The Vercel AI SDK keeps to its provider's defaults. */
async function vercelAi(model, { first, second }) {
  const request = {
    model,
    instructions: SYSTEM,
    tools: { weather: aiTool({ description: WEATHER.description, inputSchema: PARAMETERS, execute: skyOf }) },
    stopWhen: isStepCount(5),
    providerOptions: { openai: { forceReasoning: true, reasoningEffort: 'low' } },
  };
  const messages = [{ role: 'user', content: first }];
  const result = streamText({ ...request, messages });
  const answer = await result.text;
  messages.push(...(await result.responseMessages), { role: 'user', content: second });
  return [answer, await streamText({ ...request, messages }).text];
}

/** Sends an image and a PDF; a tool answers with an image. */
async function files(model, prompt) {
  const data = Buffer.from('89504e470d0a1a0a', 'hex');
  const image = { type: 'file', data, mediaType: 'image/png' };
  const pdf = { type: 'file', data: Buffer.from('%PDF-1.4'), mediaType: 'application/pdf', filename: 'a.pdf' };
  const messages = [{ role: 'user', content: [{ type: 'text', text: prompt }, image, pdf] }];
  const shown = { type: 'file', data: { type: 'data', data: data.toString('base64') }, mediaType: 'image/png' };
  const look = aiTool({
    description: 'Looks',
    inputSchema: z.object({}),
    execute: () => 'dot',
    toModelOutput: () => ({ type: 'content', value: [{ type: 'text', text: 'A dot:' }, shown] }),
  });
  const { text, usage } = await generateText({ model, messages, tools: { look }, stopWhen: isStepCount(3) });
  return { text, outputTokens: usage.outputTokens };
}

async function langChain({ baseURL, first, second }, useResponsesApi) {
  const weather = langChainTool(skyOf, { ...WEATHER, schema: PARAMETERS });
  const model = new ChatOpenAI({ model: MODEL, apiKey: 'any', useResponsesApi, configuration: { baseURL } });
  const bound = model.bindTools([weather]);
  const messages = [new SystemMessage(SYSTEM), new HumanMessage(first)];
  const asked = await bound.invoke(messages);
  messages.push(asked);
  for (const call of asked.tool_calls) messages.push(await weather.invoke(call));
  const answer = await bound.invoke(messages);
  messages.push(answer, new HumanMessage(second));
  return [answer.text, (await bound.invoke(messages)).text];
}

const others = {
  async 'structured openai chat'({ client, first }) {
    const { choices } = await client.chat.completions.parse({
      model: MODEL,
      messages: [{ role: 'user', content: first }],
      response_format: zodResponseFormat(RECIPE, 'recipe'),
    });
    return choices[0].message.parsed;
  },

  async 'structured openai responses'({ client, first }) {
    const format = zodTextFormat(RECIPE, 'recipe');
    return (await client.responses.parse({ model: MODEL, input: first, text: { format } })).output_parsed;
  },

  async 'structured agents'({ client, first }) {
    const agent = new Agent({ name: 'Cook', model: MODEL, outputType: RECIPE });
    const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: true }) });
    return (await runner.run(agent, first)).finalOutput;
  },

  'structured ai responses': async ({ baseURL, first }) =>
    (
      await generateText({
        model: aiModel.responses(baseURL),
        output: Output.object({ schema: RECIPE }),
        prompt: first,
      })
    ).output,

  'files ai responses': (asked) => files(aiModel.responses(asked.baseURL), asked.first),
  'files ai chat': (asked) => files(aiModel.chat(asked.baseURL), asked.first),

  'error openai chat': ({ client, first }) =>
    told(client.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: first }] })),

  'error openai responses': ({ client, first }) =>
    told(client.responses.stream({ model: MODEL, input: first }).finalResponse()),

  'cut openai chat': ({ client, first }) =>
    told(client.chat.completions.stream({ model: MODEL, messages: [{ role: 'user', content: first }] }).finalContent()),

  'cut openai responses': ({ client, first }) =>
    told(client.responses.stream({ model: MODEL, input: first }).finalResponse()),

  'cut agents': ({ client, first }) => {
    const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: true }) });
    return told(
      runner.run(new Agent({ name: 'Cut', model: MODEL }), first, { stream: true }).then((run) => run.completed),
    );
  },

  async 'error ai responses'({ baseURL, first }) {
    let error;
    const model = aiModel.responses(baseURL);
    const onError = (event) => {
      error = event.error;
    };
    await streamText({ model, prompt: first, maxRetries: 0, onError }).consumeStream();
    const { name, statusCode: status, message, data, responseHeaders } = error;
    return { name, status, code: data.error.code, message, retryAfter: responseHeaders['retry-after'] ?? null };
  },
};

/** Who runs tools by itself: each gets one that tells that it was run, and with what. */
const running = {
  'openai chat': ({ client, first, run }) =>
    client.chat.completions
      .runTools({
        model: MODEL,
        messages: [{ role: 'user', content: first }],
        tools: [{ type: 'function', function: { name: 'weather', function: run, parse: JSON.parse, parameters: ANY } }],
      })
      .finalContent(),

  agents: ({ client, first, run }) => {
    const tools = [agentTool({ ...WEATHER, parameters: ANY, strict: false, execute: run })];
    const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: true }) });
    return runner.run(new Agent({ name: 'Weather', model: MODEL, tools }), first);
  },

  'ai responses': (asked) => runByAi(aiModel.responses(asked.baseURL), asked),
  'ai chat': (asked) => runByAi(aiModel.chat(asked.baseURL), asked),
};
const ANY = { type: 'object', properties: {}, additionalProperties: true };

async function runByAi(model, { first, run }) {
  const tools = { weather: aiTool({ inputSchema: z.looseObject({}), execute: run }) };
  const ask = { model, prompt: first, tools, maxRetries: 0, stopWhen: isStepCount(2) };
  await generateText(ask);
  await streamText({ ...ask, onError: () => undefined }).consumeStream();
}

for (const [client, ask] of Object.entries(running)) {
  others[`runs ${client}`] = async (asked) => {
    const inputs = [];
    const run = (input) => {
      inputs.push(input);
      return 'sunny';
    };
    await ask({ ...asked, run }).catch(() => undefined);
    return inputs;
  };
}

/** What a program gets to see of the error in place of an answer. */
async function told(answer) {
  const error = await answer.then(
    () => undefined,
    (reason) => reason,
  );
  const { status, code, message, headers } = error;
  return { name: error.constructor.name, status, code, message, retryAfter: headers?.get('retry-after') ?? null };
}

process.on('message', async ({ what, baseURL, first, second }) => {
  const client = new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
  try {
    process.send({ value: await { ...conversations, ...others }[what]({ client, baseURL, first, second }) });
  } catch (error) {
    process.send({ failure: String(error?.stack ?? error) });
  }
});
