import { describeSdkErrorFacts } from './sdk-error-facts.ts';
import { describeSdkFacts } from './sdk-facts.ts';

// The binary takes the scripted model for the real API: betas, billing ids and what it fetches at start change.
const FIRST_PARTY = { _CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL: '1' };
describeSdkFacts('over what passes for the first party’s API', FIRST_PARTY);
describeSdkErrorFacts('errors over what passes for the first party’s API', FIRST_PARTY);
