// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * Signs in at `claude gateway` as a developer does, by its device flow, with a script in place of the browser.
 *
 * @param {string} gateway its address
 * @returns {Promise<string>} the access token
 */
export async function signIn(gateway) {
  const device = /** @type {any} */ (await (await post(`${gateway}/oauth/device_authorization`, {})).json());
  await follow(await post(`${gateway}/device`, { user_code: device.user_code }));
  const asked = { grant_type: DEVICE_GRANT, device_code: device.device_code };
  for (let tries = 0; tries < 5; tries += 1) {
    const answer = /** @type {any} */ (await (await post(`${gateway}/oauth/token`, asked)).json());
    if (answer.access_token) return answer.access_token;
    if (answer.error !== 'authorization_pending' && answer.error !== 'slow_down') {
      throw new Error(`claude gateway gives no token: ${JSON.stringify(answer)}`);
    }
    await sleep(device.interval * 1000);
  }
  throw new Error('claude gateway gives no token, though its sign-in went through.');
}

/**
 * Follows the redirects of a sign-in, with the cookies of each step.
 *
 * @param {Response} first
 */
async function follow(first) {
  let answer = first;
  /** @type {string[]} */
  const cookies = [];
  for (let step = 0; answer.status >= 300 && answer.status < 400; step += 1) {
    if (step > 10) throw new Error('the sign-in at claude gateway redirects without end.');
    cookies.push(...answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? ''));
    const next = new URL(answer.headers.get('location') ?? '', answer.url);
    answer = await fetch(next, { redirect: 'manual', headers: { cookie: cookies.join('; ') } });
  }
  if (!answer.ok) throw new Error(`the sign-in at claude gateway ended with ${answer.status}: ${await answer.text()}`);
}

/**
 * @param {string} url
 * @param {Record<string, string>} form
 */
function post(url, form) {
  // Its page says that it takes its own forms alone.
  const headers = { origin: new URL(url).origin };
  return fetch(url, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(form) });
}
