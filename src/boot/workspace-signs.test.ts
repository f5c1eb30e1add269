import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkspaceSigns } from './workspace-signs.ts';

let state: string;
let shown: WorkspaceSigns[];
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'isthmus-signs-'));
  shown = [];
});
afterEach(() => {
  for (const signs of shown) signs.remove();
  rmSync(state, { recursive: true });
});

const writer = { level: 'edit' as const, workspace: '/work/docs' };

function gateway(): WorkspaceSigns {
  const signs = new WorkspaceSigns(state);
  shown.push(signs);
  return signs;
}

function folders(): string[] {
  const all = join(state, 'workspaces');
  return readdirSync(all).flatMap((workspace) =>
    readdirSync(join(all, workspace)).map((name) => join(all, workspace, name)),
  );
}

test('a second gateway that writes in a workspace is told, one beside it is not', async () => {
  expect(await gateway().show([writer, writer])).toEqual([]);
  const second = gateway();
  expect(await second.show([writer, { level: 'shell', workspace: '/work/other' }])).toEqual([
    expect.stringContaining('Another gateway has an agent that writes in /work/docs'),
  ]);
  second.remove();
  expect(folders()).toHaveLength(1);
});

test('a workspace is shared while another gateway lives that writes there', async () => {
  const first = gateway();
  await first.show([writer]);
  expect(await first.isShared(writer.workspace)).toBe(false);
  const second = gateway();
  await second.show([writer]);
  expect(await first.isShared(writer.workspace)).toBe(true);
  second.remove();
  expect(await first.isShared(writer.workspace)).toBe(false);
  // Nothing is known of one without a sign.
  expect(await first.isShared('/work/other')).toBe(true);
});

test('who only reads neither shows a sign nor looks for one', async () => {
  await gateway().show([writer]);
  expect(await gateway().show([{ ...writer, level: 'read' }])).toEqual([]);
  expect(folders()).toHaveLength(1);
});

test('a gateway that has gone is forgotten, also one that was killed', async () => {
  const first = gateway();
  await first.show([writer]);
  const [own = ''] = folders();
  first.remove();
  expect(folders()).toEqual([]);
  // What a kill leaves: a folder in which nobody listens.
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'alive'), '');
  const unshown = join(own, '..', 'gateway-old');
  mkdirSync(unshown);
  utimesSync(unshown, 0, 0);
  expect(await gateway().show([writer])).toEqual([]);
  expect(folders()).toHaveLength(1);
});

test('a gateway that just starts counts as alive', async () => {
  const first = gateway();
  await first.show([writer]);
  const [own = ''] = folders();
  first.remove();
  mkdirSync(own, { recursive: true });
  expect(await gateway().show([writer])).toHaveLength(1);
});

test('a state folder that cannot be used is told', async () => {
  writeFileSync(join(state, 'workspaces'), '');
  expect(await gateway().show([writer])).toEqual([
    expect.stringContaining('Another gateway that writes in /work/docs would not be noticed'),
  ]);
});
