import { expect, test } from 'vitest';
import { headerList } from './header-list.ts';

test('each name stands as it is, but for what a header cannot have', () => {
  const files = ['log.1', 'log.2', 'log.3', 'log.4', 'a b/ä,%.md', 'half \uD83D.txt'];
  expect(headerList(files)).toBe('log.1, log.2, log.3, log.4, a%20b/%C3%A4%2C%25.md, half%20%EF%BF%BD.txt');
  expect(headerList([])).toBe('');
});

test('what does not fit is counted', () => {
  const names = Array.from({ length: 300 }, (_, index) => `file-${index}.ts`);
  const value = headerList(names, 5);
  const listed = value.split(', ').slice(0, -1);
  expect(listed).toEqual(names.slice(0, listed.length));
  expect(value.length).toBeLessThan(1_050);
  expect(value).toMatch(new RegExp(`, and ${305 - listed.length} more$`));
});
