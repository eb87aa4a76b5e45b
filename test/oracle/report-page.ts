// What must be true of every page of `tpsc report` in a browser. The script and the test both ask it.
import type { Browser } from './chromium.js';

const WIDTHS = [360, 800, 1280, 1600];

/** In words; none where all is well. */
export async function faultsOf(browser: Browser, url: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const expect = (fine: boolean, what: string): void => { if (!fine) faults.push(what); };
  const count = async (selector: string): Promise<number> => Number(await browser.value(`document.querySelectorAll(${JSON.stringify(selector)}).length`));
  browser.forget();
  await browser.medium('light');
  await browser.size(1280, 900);
  await browser.open(url);

  // structure
  expect(await count('h1') === 1, 'there is not one h1');
  expect(await browser.value('[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].every((h, i, all) => i === 0 || Number(h.tagName[1]) <= Number(all[i - 1].tagName[1]) + 1)') === true, 'a level of headings is left out');
  expect(await browser.value('[...document.images].every((i) => i.hasAttribute("alt") && i.complete && i.naturalWidth > 0)') === true, 'a picture has no alternative text or cannot be shown');
  expect(await browser.value('new Set([...document.querySelectorAll("[id]")].map((e) => e.id)).size === document.querySelectorAll("[id]").length') === true, 'an id occurs twice');
  expect(await browser.value('[...document.querySelectorAll("a[href^=\'#\']")].every((a) => document.getElementById(a.getAttribute("href").slice(1)) !== null)') === true, 'a link leads nowhere');
  expect(await browser.value('document.scripts.length === 1 && document.querySelectorAll("script[src], link[rel=stylesheet], iframe, object").length === 0') === true, 'there is more than the one script');

  // width, with everything unfolded
  await browser.value('document.querySelectorAll("details").forEach((d) => { d.open = true; })');
  for (const width of WIDTHS) {
    await browser.size(width, 900);
    const over = Number(await browser.value('document.documentElement.scrollWidth - document.documentElement.clientWidth'));
    expect(over <= 0, `at a width of ${width} it is ${over} pixels wider than the screen`);
  }
  await browser.size(1280, 900);

  // tables, by keyboard: of the one with most rows, its last column of numbers
  const table = 'const table = [...document.querySelectorAll("table.results:not(.matrix)")].sort((a, b) => b.tBodies[0].rows.length - a.tBodies[0].rows.length)[0]; const head = [...table.tHead.rows[table.tHead.rows.length - 1].cells].filter((c) => c.classList.contains("number")).at(-1);';
  const ask = (then: string): Promise<unknown> => browser.value(`(() => { ${table} ${then} })()`);
  const column = async (): Promise<readonly string[]> => await ask('return [...table.tBodies[0].rows].filter((r) => !r.classList.contains("published")).map((r) => r.cells[head?.cellIndex ?? 0].dataset.value ?? "")') as readonly string[];
  const sorted = (values: readonly string[], sign: number): boolean => values.every((v, i) => { const before = values[i - 1]; return before === undefined || v === '' || (before !== '' && sign * (Number(v) - Number(before)) >= 0); });
  const before = await column(), sorts = await ask('return head !== undefined && head.querySelector("button") !== null') === true;
  expect(sorts || before.length < 2, 'a table of several rows does not sort');
  if (sorts) {
    await ask('head.querySelector("button").focus()');
    await browser.press('Enter');
    expect(await ask('return head.getAttribute("aria-sort")') === 'descending' && sorted(await column(), -1), `Enter does not sort: ${(await column()).join(' ')}`);
    await browser.press(' ');
    expect(await ask('return head.getAttribute("aria-sort")') === 'ascending' && sorted(await column(), 1), `Space does not turn it round: ${(await column()).join(' ')}`);
    await browser.press('Enter');
    expect(await ask('return head.getAttribute("aria-sort")') === null && (await column()).join() === before.join(), 'a third time does not bring the order back');
  }

  // the viewer
  if (await count('button.shot') > 1) {
    const open = (): Promise<unknown> => browser.value('document.querySelector("dialog.viewer").open'), told = (): Promise<unknown> => browser.value('document.querySelector(".viewer .count").textContent');
    await browser.value('[...document.querySelectorAll("button.shot")].find((s) => s.closest("[hidden]") === null).focus()');
    await browser.press('Enter');
    expect(await open() === true, 'the viewer does not open');
    const first = String(await told());
    expect(/^1 of \d+$/.test(first), `the viewer begins with ${first}`);
    await browser.press('ArrowRight');
    expect(await told() === first.replace('1', '2'), 'the right arrow does not go on');
    await browser.press('End');
    expect(/^(\d+) of \1$/.test(String(await told())), 'End does not go to the last');
    await browser.press('Home');
    expect(await told() === first, 'Home does not go to the first');
    await browser.press('ArrowRight');
    await browser.press('ArrowLeft');
    expect(await browser.value('getComputedStyle(document.querySelector(".viewer .over")).visibility') === 'visible', 'the overlay is not seen');
    await browser.press('o');
    expect(await browser.value('getComputedStyle(document.querySelector(".viewer .over")).visibility') === 'hidden', 'O does not take the overlay away');
    await browser.press('Escape');
    expect(await open() === false, 'Escape does not close the viewer');
    expect(await browser.value('document.activeElement === [...document.querySelectorAll("button.shot")].find((s) => s.closest("[hidden]") === null)') === true, 'the place is not given back');
  }

  // pairs
  const pairs = await count('.pair');
  if (pairs > 0) {
    const seen = async (): Promise<unknown> => browser.value('[...document.querySelectorAll(".pair:not([hidden])")].map((p) => p.id).join()');
    const last = String(await browser.value('[...document.querySelectorAll(".pair")].at(-1).id'));
    expect(await browser.value('document.querySelectorAll(".pair:not([hidden])").length') === 1, 'more than one pair is shown');
    await browser.value(`document.querySelector(".matrix a[href='#${last}']").focus()`);
    await browser.press('Enter');
    // a slow machine takes its time; to go back before the link has been followed would leave the page
    const followed = await browser.becomes(`location.hash === ${JSON.stringify(`#${last}`)}`);
    expect(followed && await seen() === last, `a link of the matrix shows ${String(await seen())}, not ${last}`);
    if (followed) {
      await browser.value('history.back()');
      expect(await browser.becomes('location.hash === ""') && (pairs === 1 || await seen() !== last), 'back does not go back');
    }
    await browser.open('about:blank');
    await browser.open(`${url}#${last}`);
    expect(await seen() === last, 'an address with a pair does not show it');
  }

  // what it asked for, and what it said
  expect(browser.complaints.length === 0, `the console has: ${browser.complaints.join(' ')}`);
  const outside = browser.requests.filter((r) => !r.startsWith('data:') && r !== 'about:blank' && r.replace(/#.*/, '') !== url);
  expect(outside.length === 0, `it asks for ${outside.join(', ')}`);
  return faults;
}
