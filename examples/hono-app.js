/**
 * A gateway within a web app of your own: your pages and your checks on one port, Claude below `/claude`.
 *
 *     npm install isthmus-gateway hono @hono/node-server
 *     ANTHROPIC_API_KEY=... APP_TOKEN=... node hono-app.js
 *     ANTHROPIC_BASE_URL=http://127.0.0.1:8787/claude ANTHROPIC_AUTH_TOKEN=... claude
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { proxy } from 'hono/proxy';
import { createGateway } from 'isthmus-gateway';

const { PORT = '8787', APP_TOKEN } = process.env;
if (!APP_TOKEN) throw new Error('Set APP_TOKEN: who knows it may spend your credential.');

// On a free port of 127.0.0.1, where the app alone is its client.
const gateway = await createGateway({ port: 0 });
const app = new Hono();

app.get('/', (c) => c.text('This is my app.'));

app.use('/claude/*', bearerAuth({ token: APP_TOKEN }));
app.all('/claude/*', (c) => {
  const { pathname, search } = new URL(c.req.url);
  return proxy(`${gateway.url}${pathname.slice('/claude'.length)}${search}`, {
    // With the request goes its end: a client that leaves stops its turn.
    raw: c.req.raw,
    // The app's token stays here.
    headers: { ...c.req.header(), authorization: undefined },
  });
});

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) }, ({ port }) => {
  console.log(`The app listens on http://127.0.0.1:${port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    // Turns under way get ten seconds.
    await gateway.stop(10_000);
    process.exit();
  });
}
// For ends that nothing announces, such as an error that nobody catches.
process.once('exit', () => gateway.abandon());
