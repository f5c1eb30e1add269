import { ownVersion } from '../boot/own-version.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok } = findingsOf('isthmus');

/** What whoever helps wants to know first. */
export const checkIsthmus = (): Finding[] => [
  ok(`Isthmus ${ownVersion()} on Node ${process.versions.node}, ${process.platform} ${process.arch}.`),
];
