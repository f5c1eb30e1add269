import { describeSdkErrorFacts } from './sdk-error-facts.ts';

describeSdkErrorFacts('first party');
