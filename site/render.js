import Eleventy from '@11ty/eleventy';

/** @returns {Promise<{url: string, html: string}[]>} every page of the site as it would be written; `url` from the site's root on */
export async function renderSite() {
  const eleventy = new Eleventy(undefined, undefined, { configPath: 'site/eleventy.config.js', quietMode: true });
  /** @type {{url: string, content: string}[]} */
  const pages = await eleventy.toJSON();
  return pages.map(({ url, content }) => ({
    url: url.replace(/^\//, '').replace(/(^|\/)$/, '$1index.html'),
    html: content,
  }));
}
