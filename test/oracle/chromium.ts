// A headless Chromium that does as a reader does: real keys, real clicks, another medium. Driven through a pipe in its own protocol, without a package.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const onPath = (name: string): string[] => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).filter(existsSync);
/** Where there is one; Debian: apt-get install chromium. */
export const findChromium = (): string | undefined => ['chromium', 'chromium-browser', 'google-chrome'].flatMap(onPath)[0];

type Json = Readonly<Record<string, unknown>>;

const LIMIT_MS = 30_000;
const KEYS: Readonly<Record<string, { readonly code: string; readonly windows: number; readonly text?: string }>> = {
  Enter: { code: 'Enter', windows: 13, text: '\r' }, ' ': { code: 'Space', windows: 32, text: ' ' }, Escape: { code: 'Escape', windows: 27 }, Tab: { code: 'Tab', windows: 9 },
  ArrowLeft: { code: 'ArrowLeft', windows: 37 }, ArrowRight: { code: 'ArrowRight', windows: 39 }, Home: { code: 'Home', windows: 36 }, End: { code: 'End', windows: 35 }, o: { code: 'KeyO', windows: 79, text: 'o' },
};

/** One page at a time. */
export class Browser {
  /** What the page did that it should not: messages of its console, faults, and addresses that it asked for. */
  readonly complaints: string[] = [];
  readonly requests: string[] = [];
  private next = 1;
  private readonly waiting = new Map<number, { readonly done: (value: Json) => void; readonly fail: (error: Error) => void }>();
  /** Loaders of documents that have loaded, and who waits for one. */
  private readonly loaded = new Set<unknown>();
  private readonly loading = new Set<() => void>();
  private session = '';

  private constructor(private readonly child: ChildProcess, private readonly profile: string) {
    let rest = Buffer.alloc(0);
    (child.stdio[4] as Readable).on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.hear(JSON.parse(rest.subarray(0, end).toString()) as Json);
        rest = rest.subarray(end + 1);
      }
    });
    child.on('exit', () => { for (const { fail } of this.waiting.values()) fail(new Error('Chromium has ended')); });
  }

  static async start(chromium: string, width = 1280, height = 900): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'tpsc-chromium-'));
    const child = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${profile}`, `--window-size=${width},${height}`], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Browser(child, profile);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    browser.session = String((await browser.send('Target.attachToTarget', { targetId, flatten: true }))['sessionId']);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    await browser.send('Page.setLifecycleEventsEnabled', { enabled: true });
    await browser.size(width, height);
    return browser;
  }

  send(method: string, params: Json = {}): Promise<Json> {
    const id = this.next++;
    (this.child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...(this.session === '' ? {} : { sessionId: this.session }) })}\0`);
    return new Promise((done, fail) => {
      const timer = setTimeout(() => { fail(new Error(`Chromium does not answer ${method}`)); }, LIMIT_MS);
      this.waiting.set(id, { done: (value) => { clearTimeout(timer); done(value); }, fail: (error) => { clearTimeout(timer); fail(error); } });
    });
  }

  private hear({ id, method, params = {}, result, error }: Json): void {
    if (typeof id === 'number') {
      const asked = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) asked?.done((result ?? {}) as Json); else asked?.fail(new Error(JSON.stringify(error)));
      return;
    }
    const of = (name: string): unknown => (params as Json)[name];
    if (method === 'Runtime.consoleAPICalled' || method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') this.complaints.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent') this.requests.push(String((of('request') as Json)['url']).slice(0, 200));
    if (method === 'Page.lifecycleEvent' && of('name') === 'load') {
      this.loaded.add(of('loaderId'));
      for (const look of this.loading) look();
    }
  }

  /** Forgets what pages did so far. */
  forget(): void { this.complaints.length = this.requests.length = 0; }

  /** Opens an address and waits until this very document has loaded: the empty page before it may still be at it. */
  async open(url: string): Promise<void> {
    const { loaderId } = await this.send('Page.navigate', { url });
    await new Promise<void>((done) => {
      const look = (): void => { if (loaderId === undefined || this.loaded.has(loaderId)) { this.loading.delete(look); done(); } };
      this.loading.add(look);
      look();
    });
  }

  /** The value of an expression in the page. */
  async value(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as Json)['value'];
  }

  /** Whether an expression becomes true within some seconds. */
  async becomes(expression: string): Promise<boolean> {
    for (let left = 100; left > 0; left--) {
      if (await this.value(expression) === true) return true;
      await new Promise((done) => { setTimeout(done, 50); });
    }
    return false;
  }

  async press(key: string): Promise<void> {
    const { code, windows, text } = KEYS[key] ?? { code: '', windows: 0 };
    const event = { key, code, windowsVirtualKeyCode: windows };
    await this.send('Input.dispatchKeyEvent', { type: text === undefined ? 'rawKeyDown' : 'keyDown', ...event, ...(text === undefined ? {} : { text }) });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  async size(width: number, height: number): Promise<void> { await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false }); }

  /** `dark`, `light`; `print`. */
  async medium(scheme: 'light' | 'dark', media: '' | 'print' = ''): Promise<void> { await this.send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] }); }

  /** PNG of what is seen, or of the whole page. */
  async picture(whole: boolean): Promise<Buffer> { return Buffer.from(String((await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole }))['data']), 'base64'); }

  async pdf(): Promise<Buffer> { return Buffer.from(String((await this.send('Page.printToPDF', { preferCSSPageSize: true, printBackground: true }))['data']), 'base64'); }

  async close(): Promise<void> {
    const ended = new Promise<void>((done) => { this.child.once('exit', () => { done(); }); });
    this.child.kill();
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
