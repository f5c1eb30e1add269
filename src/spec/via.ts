/**
 * The header in which a request tells which gateways of this kind it came through: their ids, the nearest last. A gateway's
 * processes send it with every request, so that the gateway knows one of its own that comes back.
 */
export const VIA_HEADER = 'isthmus-via';
