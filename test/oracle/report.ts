// Pages of `tpsc report` in a headless Chromium: they load without a complaint and ask for nothing, tables sort, the viewer opens and closes by keyboard,
// pairs follow the address, nothing is wider than the screen.
//   npx tsx test/oracle/report.ts [--chromium PATH] [--shots FOLDER] PAGE.html…
// --shots keeps pictures of each page: light, dark, narrow, and a PDF of its print. Without a Chromium this says so and is done.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Browser, findChromium } from './chromium.js';
import { faultsOf } from './report-page.js';

const { values: { chromium = findChromium(), shots }, positionals: pages } = parseArgs({ allowPositionals: true, options: { chromium: { type: 'string' }, shots: { type: 'string' } } });
if (pages.length === 0) throw new Error('give pages that `tpsc report` wrote');
if (chromium === undefined) {
  process.stdout.write('skipped: there is no Chromium here (Debian: apt-get install chromium), and --chromium names none\n');
  process.exit(0);
}

const browser = await Browser.start(chromium);
let wrong = 0;
try {
  for (const page of pages) {
    const url = pathToFileURL(resolve(page)).href, faults = await faultsOf(browser, url);
    process.stdout.write(`${page}: ${faults.length === 0 ? 'fine' : faults.join('; ')}\n`);
    wrong += faults.length;
    if (shots !== undefined) await keep(url, join(shots, basename(page, '.html')));
  }
} finally {
  await browser.close();
}
process.exit(wrong > 0 ? 1 : 0);

async function keep(url: string, stem: string): Promise<void> {
  mkdirSync(resolve(stem, '..'), { recursive: true });
  for (const [name, scheme, width] of [['light', 'light', 1400], ['dark', 'dark', 1400], ['narrow', 'light', 400]] as const) {
    await browser.medium(scheme);
    await browser.size(width, 900);
    await browser.open(url);
    writeFileSync(`${stem}-${name}.png`, await browser.picture(true));
  }
  await browser.size(1400, 900);
  if (await browser.value('document.querySelector("button.shot")?.click(), document.querySelector("dialog[open]") !== null') === true) writeFileSync(`${stem}-viewer.png`, await browser.picture(false));
  await browser.open(url);
  writeFileSync(`${stem}-print.pdf`, await browser.pdf());
}
