import { ClientError } from './client.ts';

/**
 * Keeps a flag for Isthmus of which the client takes the last one alone.
 *
 * @param cure what the user can do instead, as a sentence
 * @throws ClientError when it is among the user's arguments
 */
export function keepFlag(flag: string, title: string, args: readonly string[], cure: string): void {
  if (!args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))) return;
  throw new ClientError(`With ${flag} of your own ${title} would not ask Isthmus. ${cure}`);
}
