import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ROOT } from './pages.js';

const { repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Where files of the repository that are no page can be read. */
const SOURCES = repository.url.replace(/^git\+|\.git$/g, '').concat('/blob/main/');

/**
 * A plugin of markdown-it: links between the Markdown files become links between the pages. They are relative, so the site
 * works below any path and from the disk.
 *
 * @param {import('markdown-it')} markdown
 * @param {Map<string, import('./pages.js').Page>} pages by their source
 */
export function siteLinks(markdown, pages) {
  markdown.core.ruler.push('site_links', ({ tokens, env }) => {
    const page = pages.get(env.source);
    for (const { children } of tokens) {
      for (const [index, token] of (children ?? []).entries()) {
        const attribute = { link_open: 'href', image: 'src' }[token.type];
        const written = attribute && token.attrGet(attribute);
        if (!written || /^([a-z]+:|#)/.test(written)) continue;
        token.attrSet(attribute, siteTarget(written, page, pages));
        if (token.type === 'link_open') namePage(children[index + 1], sourceOf(written, page), pages);
      }
    }
  });
}

/** On the site a page goes by its name, not by that of its file. */
function namePage(text, source, pages) {
  if (/^[\w/.-]+\.md$/.test(text.content) && pages.has(source)) text.content = pages.get(source).name;
}

/** The file that a link leads to, from the root of the repository on. */
function sourceOf(target, page) {
  return posix.join(posix.dirname(page.source), target.split('#')[0]);
}

/** @throws Error if there is no such file */
function siteTarget(target, page, pages) {
  const anchor = target.split('#')[1];
  const source = sourceOf(target, page);
  const file = join(ROOT, source);
  if (!existsSync(file)) throw new Error(`${page.source} links to ${target}: there is no ${source}`);
  const linked = pages.get(statSync(file).isDirectory() ? posix.join(source, 'README.md') : source);
  if (linked) return posix.relative(posix.dirname(page.url), linked.url) + (anchor ? `#${anchor}` : '');
  return source.endsWith('.svg') ? target : SOURCES + source;
}
