import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { slug } from 'github-slugger';
import anchor from 'markdown-it-anchor';
import { GROUPS } from './navigation.js';
import { markdownOf, sitePages } from './pages.js';
import { searchSections } from './search-sections.js';
import { siteLinks } from './site-links.js';

/** What lies beside the pages, by its place in the repository. */
const FILES = {
  'site/style.css': 'style.css',
  'site/search.js': 'search.js',
  'node_modules/minisearch/dist/umd/index.js': 'minisearch.js',
  'docs/*.svg': 'docs',
};

/**
 * The site of the documents: Markdown files of the repository, each a page. It works without JavaScript and asks for nothing
 * beyond itself.
 *
 * @param {import('@11ty/eleventy').UserConfig} eleventy
 */
export default function configure(eleventy) {
  const pages = sitePages();
  const bySource = new Map(pages.map((page) => [page.source, page]));

  eleventy.setQuietMode(true);
  eleventy.amendLibrary('md', (markdown) => {
    markdown.set({ html: false }).enable('code');
    markdown.use(siteLinks, bySource);
    // The anchors that GitHub gives the same headings.
    markdown.use(anchor, { slugify: slug, permalink: anchor.permalink.headerLink() });
  });
  eleventy.addGlobalData(
    'groups',
    GROUPS.map(({ title }) => ({ title, pages: pages.filter(({ group }) => group === title) })),
  );
  for (const page of pages) {
    eleventy.addTemplate(page.source, markdownOf(page.source), {
      ...page,
      layout: 'layout.njk',
      permalink: page.url,
      home: '../'.repeat(page.url.split('/').length - 1),
    });
  }
  eleventy.addPassthroughCopy(FILES);
  eleventy.on('eleventy.before', ({ directories, outputMode }) => {
    if (outputMode === 'fs') rmSync(directories.output, { recursive: true, force: true });
  });
  eleventy.on('eleventy.after', ({ directories, results, outputMode }) => {
    if (outputMode !== 'fs') return;
    const written = results.map(({ url, content }) => ({ ...pages.find((page) => isAt(page, url)), html: content }));
    writeFileSync(
      join(directories.output, 'search-index.js'),
      `globalThis.searchSections = ${JSON.stringify(searchSections(written))};\n`,
    );
    writeFileSync(join(directories.output, 'external-links.txt'), `${externalLinks(written).join('\n')}\n`);
  });
}

/** Eleventy's address of a folder's index is the folder. */
function isAt(page, url) {
  return `/${page.url}`.replace(/\/index\.html$/, '/') === url;
}

/** The addresses beyond the site, for somebody to look at: the build fetches nothing. */
function externalLinks(pages) {
  const found = pages.flatMap(({ html }) =>
    [...html.matchAll(/<a [^>]*href="(https?:[^"]*)"/g)].map(([, href]) => href),
  );
  return [...new Set(found)].sort();
}

export const config = {
  dir: { input: 'site', includes: '.', output: 'dist/site' },
  templateFormats: ['md'],
  markdownTemplateEngine: false,
};
