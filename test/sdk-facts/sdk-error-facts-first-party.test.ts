import { FIRST_PARTY } from './fact.ts';
import { describeSdkErrorFacts } from './sdk-error-facts.ts';

describeSdkErrorFacts('errors over what passes for the first party’s API', FIRST_PARTY);
