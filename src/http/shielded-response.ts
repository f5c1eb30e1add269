import { ServerResponse } from 'node:http';

/** The headers of every answer. No web page is meant to read one, to run it as a script, or to show it in a frame. */
export const SHIELD: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
};

/** A response that has these headers whoever writes it. */
export class ShieldedResponse extends ServerResponse {
  constructor(...given: ConstructorParameters<typeof ServerResponse>) {
    super(...given);
    for (const [name, value] of Object.entries(SHIELD)) this.setHeader(name, value);
  }
}
