import { expect, test, vi } from 'vitest';
import { CommandError } from './command-error.ts';
import { run } from './doctor.ts';

test('a folder that is gone is told in one line', async () => {
  const gone = vi.spyOn(process, 'cwd').mockImplementation(() => {
    throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), { code: 'ENOENT' });
  });
  const settings = () => Promise.reject(new Error('not asked'));
  try {
    const told = run({ words: [], rest: [], flags: {}, environment: {}, settings });
    await expect(told).rejects.toThrow(CommandError);
    await expect(told).rejects.toThrow('The current folder is gone (ENOENT): change to one that is there, with cd.');
  } finally {
    gone.mockRestore();
  }
});
