const SEPARATOR = '__';

/** The name of a tool as the model gets it: OpenAI's namespaces stand before it. Names of MCP servers bring their own separator. */
export function namespacedName(name: string, namespace: string | null | undefined): string {
  if (!namespace) return name;
  return namespace.endsWith(SEPARATOR) ? `${namespace}${name}` : `${namespace}${SEPARATOR}${name}`;
}
