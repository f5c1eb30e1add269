import type { ApiAddress } from './api-address.ts';
import { type Finding, findingsOf } from './finding.ts';
import type { FreeAnswer } from './free-answer.ts';

const { ok, note, warning, problem } = findingsOf('api');

/** What is wrong with a certificate, by Node's codes. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What a free request to the model's API has come to. */
export function reachFindings(address: ApiAddress, answer: FreeAnswer | undefined): Finding[] {
  if (address.kind === 'broken') {
    return [
      problem(
        `${address.variable} is not the URL of a server.`,
        `Write it with its scheme: ${address.variable}=https://HOST, or http://127.0.0.1:PORT.`,
      ),
    ];
  }
  if (address.kind === 'of a cloud') {
    return [note(`${address.title} is called at its own address, which is not asked here.`)];
  }
  if (answer === undefined) return [];
  const { name, variable, url } = address;
  const findings = [answerFinding(name, answer, variable !== undefined)];
  if (variable === 'ANTHROPIC_BASE_URL' && /\/v1\/?$/.test(url.pathname)) {
    findings.push(
      warning(
        'ANTHROPIC_BASE_URL ends with /v1, which Claude Code adds itself: it would ask for /v1/v1/messages.',
        'Leave /v1 out of it.',
      ),
    );
  }
  return findings;
}

function answerFinding(name: string, answer: FreeAnswer, isChosen: boolean): Finding {
  switch (answer.kind) {
    case 'failed':
      return failedFinding(name, answer, isChosen);
    case 'a sign-in for the proxy':
      return note(
        `The proxy at ${answer.proxy} wants a sign-in, and none is sent here: whether it lets Claude Code through stays open.`,
        `See that ${answer.proxy} has the proxy’s user and password.`,
      );
    case 'refused by the proxy':
      return problem(
        `The proxy at ${answer.proxy} refuses to connect to the model’s API (HTTP ${answer.status}).`,
        'Have it allow that, or add the API’s host to NO_PROXY if it can be reached directly.',
      );
    case 'answered': {
      const { status, contentType, ms, proxy } = answer;
      const how = `HTTP ${status} in ${Math.round(ms)} ms${proxy === undefined ? '' : `, by the proxy at ${proxy}`}`;
      if (classOf(status) === 5)
        return warning(`${name} answers with an error (${how}).`, 'Try again later, or ask who runs it.');
      if (classOf(status) === 3) {
        return warning(
          `${name} answers with a redirect (${how}), which Claude Code does not follow.`,
          wrongAddress(isChosen),
        );
      }
      if (contentType.includes('html')) {
        return warning(
          `${name} answers with a web page (${how}), as no API of the model does.`,
          wrongAddress(isChosen),
        );
      }
      return ok(`${name} answers a request without a credential (${how}).`);
    }
  }
}

/** 2 for what went well, 3 for redirects, 4 and 5 for errors of the client and the server. */
const classOf = (status: number): number => Math.floor(status / 100);

const wrongAddress = (isChosen: boolean): string =>
  isChosen
    ? 'See that the variable has the address of the API, without a path that is not part of it.'
    : 'See whether this network has a sign-in page of its own, or needs a proxy (HTTPS_PROXY).';

function failedFinding(name: string, { code, proxy }: { code: string; proxy?: string }, isChosen: boolean): Finding {
  if (proxy !== undefined) {
    return problem(
      `The proxy at ${proxy} cannot be reached (${code}).`,
      `Correct ${proxy}, or unset it if there is no proxy.`,
    );
  }
  const says = `${name} cannot be reached (${code})`;
  if (UNTRUSTED.has(code)) {
    return problem(
      `${name} shows a certificate of an authority that is not known here (${code}).`,
      'A proxy that reads along has one: put its certificate into a file, NODE_EXTRA_CA_CERTS=FILE.',
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return problem(`${says}: its certificate does not hold today.`, 'See that the clock of this machine is right.');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return problem(`${says}: its certificate is for another host.`, wrongAddress(isChosen));
  }
  if (isChosen) return problem(`${says}.`, 'See that it runs, and that the variable has its address and port.');
  return problem(`${says}.`, 'See that this machine is online, or set HTTPS_PROXY where a proxy leads out.');
}
