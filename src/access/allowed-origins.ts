/** Stands for every origin of a scheme: the webviews of an editor have random ones. */
const ANY = '*';

/**
 * Whether the operator lets a page of this origin use the gateway.
 *
 * @param allowed in lower case: `https://chat.example`, `vscode-webview://*`
 */
export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  const asked = origin.toLowerCase();
  return allowed.some((one) => {
    if (!one.endsWith(`://${ANY}`)) return asked === one;
    const scheme = one.slice(0, -ANY.length);
    return asked.startsWith(scheme) && asked.length > scheme.length;
  });
}
