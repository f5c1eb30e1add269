import type { Client } from './client.ts';
import { openCode } from './opencode.ts';

/** Kilo is made of OpenCode and reads the same configuration, from a variable of its own. */
export const kilo: Client = {
  name: 'kilo',
  title: 'Kilo',
  aliases: ['kilocode'],
  programs: ['kilo', 'kilocode'],
  versionArgs: ['--version'],
  install: 'npm install --global @kilocode/cli',
  apis: ['messages', 'chat', 'responses'],
  route: 'KILO_CONFIG_CONTENT',
  launch(target) {
    const { environment, ...plan } = openCode.launch(target);
    return { ...plan, environment: { KILO_CONFIG_CONTENT: environment.OPENCODE_CONFIG_CONTENT } };
  },
};
