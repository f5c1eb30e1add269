import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sitePages } from '../../site/pages.js';
import { renderSite } from '../../site/render.js';
import { searchSections } from '../../site/search-sections.js';
import { ROOT } from '../support/gateway.ts';

/** What a page of the site has, of the HTML that is ours. */
interface RenderedPage {
  html: string;
  ids: string[];
  links: string[];
  loaded: string[];
}

/** Files beside the pages. */
const BESIDE = ['style.css', 'search.js'];

let site: Map<string, RenderedPage>;

beforeAll(async () => {
  const pages = await renderSite();
  site = new Map(
    pages.map(({ url, html }) => [
      url,
      {
        html,
        ids: valuesOf(html, / id="([^"]*)"/g),
        links: valuesOf(html, /<a [^>]*href="([^"]*)"/g),
        loaded: valuesOf(html, /<(?:link|script|img)\b[^>]*(?:href|src)="([^"]*)"/g),
      },
    ]),
  );
});

describe('the site of the documents', () => {
  test('every link within it leads to a page and an anchor that are there', () => {
    const broken: string[] = [];
    for (const [url, { links }] of site) {
      for (const link of links.filter(isInternal)) {
        const [path = '', anchor] = link.split('#');
        const page = site.get(path ? posix.join(posix.dirname(url), path) : url);
        if (!page || (anchor && !page.ids.includes(decodeURIComponent(anchor)))) broken.push(`${url}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });

  test('asks for nothing beyond itself', () => {
    const svgs = readdirSync(`${ROOT}/docs`).filter((name) => name.endsWith('.svg'));
    const files = [...BESIDE, ...svgs.map((name) => `docs/${name}`)];
    const foreign: string[] = [];
    for (const [url, { loaded }] of site) {
      for (const target of loaded.filter((target) => target !== 'data:,')) {
        if (!files.includes(posix.join(posix.dirname(url), target))) foreign.push(`${url}: ${target}`);
      }
    }
    expect(foreign).toEqual([]);
  });

  test('every page is reached from the first by links', () => {
    const reached = new Set(['index.html']);
    for (const url of reached) {
      for (const link of site.get(url)?.links.filter(isInternal) ?? []) {
        reached.add(posix.join(posix.dirname(url), link.split('#')[0] || posix.basename(url)));
      }
    }
    expect([...site.keys()].filter((url) => !reached.has(url))).toEqual([]);
  });

  test('each page has one first heading, and no id twice', () => {
    for (const [url, { html, ids }] of site) {
      expect.soft(html.match(/<h1\b/g), url).toHaveLength(1);
      expect.soft(new Set(ids).size, url).toBe(ids.length);
    }
  });

  test('has a page for each Markdown file of the root and of docs', () => {
    const files = ['', 'docs/', 'docs/decisions/'].flatMap((folder) =>
      readdirSync(`${ROOT}/${folder}`)
        .filter((name) => name.endsWith('.md'))
        .map((name) => folder + name),
    );
    const sources = sitePages().map(({ source }) => source);
    expect(files.filter((file) => !sources.includes(file))).toEqual([]);
  });

  test('the search knows each section by its anchor', () => {
    const page = site.get('docs/errors.html');
    const sections = searchSections([{ url: 'docs/errors.html', name: 'Errors', html: page?.html ?? '' }]);
    expect(sections.map(({ heading }) => heading)).toEqual(expect.arrayContaining(['Errors', 'overloaded']));
    expect(sections.find(({ heading }) => heading === 'Who tries again')).toMatchObject({
      id: 'docs/errors.html#who-tries-again',
      text: expect.stringContaining('--retries gateway'),
    });
  });
});

function isInternal(link: string): boolean {
  return !/^[a-z]+:/.test(link);
}

function valuesOf(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(([, value = '']) => value);
}
