/** The key that Isthmus gives to clients. Isthmus does not check it, so it is no secret; and it pays for nothing. */
export const CLIENT_KEY = 'isthmus';
