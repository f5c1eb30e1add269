import { describeSdkFacts } from './sdk-facts.ts';

describeSdkFacts('first party');
