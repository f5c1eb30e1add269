import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Finding, findingsOf, type Surroundings, type Variables } from './finding.ts';

const { ok, note, warning, problem } = findingsOf('certificates');

/** The variables that name a file of certificates. */
const FILES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'] as const;

/** What a look at such a file has shown. */
export type SeenFile =
  /** `code`: why it cannot be read. */
  | { kind: 'unreadable'; code: string }
  /** One that stands in it is no certificate, or none does. */
  | { kind: 'no certificates' }
  /** When each certificate runs out, in milliseconds since 1970. */
  | { kind: 'certificates'; until: readonly number[] };

/** @param now in milliseconds since 1970 */
export function certificateFindings(seen: ReadonlyMap<string, SeenFile>, now: number): Finding[] {
  if (seen.size === 0) return [ok('No variable names certificates of your own.')];
  return [...seen].map(([name, file]) => {
    if (file.kind === 'unreadable') {
      return problem(
        `The file that ${name} names cannot be read (${file.code}).`,
        `Correct the path, or unset ${name}.`,
      );
    }
    if (file.kind === 'no certificates') {
      return problem(
        `The file that ${name} names holds no certificates that can be read, so what they should vouch for is refused.`,
        'Give it PEM: blocks that begin with -----BEGIN CERTIFICATE-----.',
      );
    }
    const expired = file.until.filter((until) => until < now).length;
    const all = file.until.length;
    if (expired === all) {
      return warning(
        `Every certificate in the file that ${name} names has run out.`,
        'Get the new ones from who made them.',
      );
    }
    return ok(`${name}: ${all} certificate${all === 1 ? '' : 's'}.`);
  });
}

/** A folder of certificates: `openssl` reads it by names that it makes itself. */
export function folderFindings(folder: 'none' | 'is there' | 'missing'): Finding[] {
  if (folder === 'none') return [];
  if (folder === 'missing')
    return [problem('SSL_CERT_DIR names no folder.', 'Correct the path, or unset SSL_CERT_DIR.')];
  return [note('SSL_CERT_DIR is set; what is in it is not looked at.')];
}

export function lookAtFile(path: string): SeenFile {
  try {
    const until = certificatesIn(readFileSync(path, 'utf8')).map((text) =>
      Date.parse(new X509Certificate(text).validTo),
    );
    return until.length > 0 ? { kind: 'certificates', until } : { kind: 'no certificates' };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return /^E[A-Z]+$/.test(code) ? { kind: 'unreadable', code } : { kind: 'no certificates' };
  }
}

/** The certificates of the files that the variables name, as far as they can be read. */
export function ownCertificates(operator: Variables): string[] {
  return FILES.flatMap((name) => {
    const path = operator[name];
    try {
      return path ? certificatesIn(readFileSync(path, 'utf8')) : [];
    } catch {
      return [];
    }
  });
}

function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

export function checkCertificates({ operator }: Surroundings): Finding[] {
  const seen = new Map(FILES.flatMap((name) => (operator[name] ? [[name, lookAtFile(operator[name])]] : [])));
  const { SSL_CERT_DIR: folder } = operator;
  const isFolder = folder && existsSync(folder) && statSync(folder).isDirectory();
  const findings = folderFindings(folder ? (isFolder ? 'is there' : 'missing') : 'none');
  return findings.length > 0 && seen.size === 0 ? findings : [...certificateFindings(seen, Date.now()), ...findings];
}
