/** The most lists and objects inside each other that a request may hold: more overflow the stack of a walk. */
export const DEEPEST = 500;
