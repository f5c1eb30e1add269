import { FIRST_PARTY } from './fact.ts';
import { describeSdkFacts } from './sdk-facts.ts';

describeSdkFacts('over what passes for the first party’s API', FIRST_PARTY);
