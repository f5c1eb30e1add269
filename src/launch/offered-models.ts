import { ClientError, type ClientModel, type LaunchTarget } from '../clients/client.ts';

/** The models of a gateway, and which of them a client begins with. */
export type OfferedModels = Pick<LaunchTarget, 'models' | 'model' | 'smallModel'>;

/** As far as it is read here. */
interface ModelsPage {
  data: Array<{
    id: string;
    display_name: string;
    owned_by: string;
    max_input_tokens: number | null;
    max_tokens: number | null;
  }>;
}

/**
 * Asks a gateway for its models. Conversations begin with a Sonnet, titles with a Haiku, where there are such.
 *
 * @throws ClientError if the gateway does not answer with a list
 */
export async function offeredModels(url: string): Promise<OfferedModels> {
  const answer = await fetch(`${url}/v1/models?limit=1000`);
  if (!answer.ok) throw new ClientError(`${url}/v1/models names no models: it answers ${answer.status}.`);
  const { data } = (await answer.json()) as ModelsPage;
  const ownModels = data.filter(({ owned_by }) => owned_by === 'anthropic').map(modelOf);
  const model = ownModels.find(({ id }) => id.includes('sonnet')) ?? ownModels[0];
  if (model === undefined) throw new ClientError(`${url}/v1/models names no model of Claude.`);
  return {
    models: data.map(modelOf),
    model,
    smallModel: ownModels.find(({ id }) => id.includes('haiku')) ?? model,
  };
}

function modelOf({ id, display_name, max_input_tokens, max_tokens }: ModelsPage['data'][number]): ClientModel {
  return {
    id,
    title: display_name,
    ...(max_input_tokens === null ? {} : { contextWindow: max_input_tokens }),
    ...(max_tokens === null ? {} : { maxTokens: max_tokens }),
  };
}
