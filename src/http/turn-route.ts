import type { Context } from 'hono';
import type { Dialect, TurnRoute } from '../dialects/dialect.ts';
import { failureOf } from '../spec/failures.ts';
import type { TurnRecord } from '../spec/turn-record.ts';
import { shapesOf } from '../telemetry/message-shapes.ts';
import { TurnRecorder } from '../telemetry/turn-recorder.ts';
import type { TurnsUnderWay } from '../telemetry/turns-under-way.ts';
import { sessionHeaders } from './agent-headers.ts';
import type { AppOptions, Env } from './app-options.ts';
import { fieldHeaders } from './field-list.ts';
import { letOthersRun } from './let-others-run.ts';
import { agentHeader, withAgent, withAgentParameters } from './named-agent.ts';
import { onceOver } from './once-over.ts';
import { readWire, type WireSources } from './read-wire.ts';
import { agentSessionFrom, callerFrom, clientFrom, headersOf, sessionFrom, viaFrom } from './request-headers.ts';
import { writeAnswer } from './write-answer.ts';

/** Serves one turn: reads the request, hands it to the gateway, writes the answer and tells the observers. */
export function turnHandler(
  options: AppOptions,
  dialect: Dialect,
  { decode }: TurnRoute,
  { turns, ...sources }: WireSources & { turns: TurnsUnderWay },
) {
  const { gateway, keepAliveMs, limits, log, logsShapes } = options;
  return async (context: Context<Env>): Promise<Response> => {
    const arrived = performance.now();
    const requestId = context.get('requestId');
    const header = headersOf(context);
    const caller = callerFrom(header);
    const recorder = new TurnRecorder(
      { requestId, caller: caller.name, client: clientFrom(header), session: sessionFrom(header) },
      arrived,
    );
    turns.begin(recorder);
    const gone = new AbortController();
    onceOver(context.env, (isWhole) => {
      turns.end(recorder);
      // After a whole answer nobody listens, and an abort is costly.
      if (!isWhole) gone.abort();
      tell(options, recorder.record(performance.now(), isWhole, limits.at(Date.now())));
    });
    try {
      const wire = await readWire(context, caller, options, sources);
      const { bytes, strict } = wire;
      const { request: decoded, encoder } = decode(wire);
      const { messages, tools, parameters, stream } = decoded;
      const what = {
        dialect: dialect.name,
        model: decoded.model,
        stream,
        messages: messages.length,
        tools: tools.length,
        bodyBytes: bytes,
        parameters: Object.keys(parameters).sort(),
      };
      recorder.asked(what, decoded.userId);
      if (logsShapes) log('request', { request: requestId, ...shapesOf(decoded) }, 'debug');
      const request = withAgentParameters(withAgent(decoded, context, options, strict), strict);
      const { agent, model } = request;
      if (agent) recorder.asked({ ...what, agent: agent.name, model }, decoded.userId);
      await letOthersRun(bytes);
      const {
        way,
        conversation,
        agent: opened,
        events,
      } = await gateway.open({
        id: requestId,
        request: { ...request, modelId: wire.idOf(model), via: viaFrom(header) },
        caller,
        session: agentSessionFrom(header),
        signal: gone.signal,
        marks: recorder.marks,
        asReturned: dialect.asReturned,
      });
      recorder.reached(way, conversation);
      return await writeAnswer(events, {
        outgoing: context.env.outgoing,
        dialect,
        encoder: encoder(requestId, Date.now(), agent !== undefined),
        stream,
        requestId,
        headers: {
          'isthmus-path': way.path,
          ...(way.path === 'start' || way.reason === undefined ? {} : { 'isthmus-replay-reason': way.reason }),
          ...fieldHeaders({
            ...request,
            ...(opened && { converted: opened.converted }),
            ...(way.isWithoutThinking && { ignored: [...request.ignored, request.thinkingPath ?? 'thinking'] }),
          }),
          ...agentHeader(request),
          ...(opened && sessionHeaders(opened)),
        },
        limits: () => limits.at(Date.now()),
        keepAliveMs,
        recorder,
      });
    } catch (error) {
      recorder.failed(failureOf(error));
      throw error;
    }
  };
}

/** An observer that throws is a defect; the other observers still hear of the turn. */
function tell({ observers, log }: AppOptions, record: TurnRecord): void {
  for (const observe of observers) {
    try {
      observe(record);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      log('error', { request: record.who.requestId, stack }, 'error');
    }
  }
}
