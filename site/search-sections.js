const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

/**
 * What the search looks through: a section for each heading of a page.
 *
 * @param {{url: string, name: string, html: string}[]} pages with the HTML of their text
 * @returns {{id: string, page: string, heading: string, text: string}[]} `id` is the section's address from the site's root on
 */
export function searchSections(pages) {
  return pages.flatMap(({ url, name, html }) =>
    html
      .split(/(?=<h[1-3] id=)/)
      .map((section) => {
        const [, anchor, heading, text] = /^<h[1-3] id="([^"]*)"[^>]*>(.*?)<\/h[1-3]>(.*)$/s.exec(section) ?? [];
        return anchor && { id: `${url}#${anchor}`, page: name, heading: plainText(heading), text: plainText(text) };
      })
      .filter(Boolean),
  );
}

function plainText(html) {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity])
    .replace(/\s+/g, ' ')
    .trim();
}
