/** The page for maintainers shows what the commands print; `UPDATE=1` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { call } from './call.ts';

const PAGE = resolve('.github/ABI-CHECK.md');
const BLOCK = /```console\n\$ npx kho-check ([^\n]*)\n([^]*?)```/g;

it('the page shows what is printed', async () => {
  const text = readFileSync(PAGE, 'utf8');
  const blocks = [...text.matchAll(BLOCK)];
  expect(blocks.length).toBeGreaterThan(0);
  let now = text;
  for (const [block, args, shown] of blocks) {
    const { out } = await call(...args!.split(' '));
    const printed = `\n${out}`;
    if (process.env['UPDATE'] === '1') {
      now = now.replace(block, `\`\`\`console\n$ npx kho-check ${args}\n${printed}\`\`\``);
    } else {
      expect(shown).toBe(printed);
    }
  }
  if (now !== text) writeFileSync(PAGE, now);
});
