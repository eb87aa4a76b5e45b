// Engines by name. An engine's library is loaded only when it is asked for.
import { MisuseError } from '../errors.js';
import type { Engine } from './engine.js';

export interface EngineOptions {
  readonly threads?: number;
  readonly device?: string;
}

const ENGINES: Readonly<Record<string, (options: EngineOptions) => Promise<Engine>>> = {
  ort: async ({ threads, device = 'cpu' }) => {
    if (device !== 'cpu' && device !== 'cuda') throw unknown('device', device, ['cpu', 'cuda']);
    return (await import('./ort.js')).createOrtEngine({ threads, device });
  },
  tfjs: async ({ threads, device = 'cpu' }) => {
    if (device !== 'cpu' && device !== 'cuda') throw unknown('device', device, ['cpu', 'cuda']);
    return (await import('./tfjs/index.js')).createTfjsEngine({ threads, device });
  },
  reference: async ({ device = 'cpu' }) => {
    if (device !== 'cpu') throw unknown('device', device, ['cpu']);
    return (await import('./reference.js')).createReferenceEngine();
  },
};

export const engineNames: readonly string[] = Object.keys(ENGINES);

/** Throws MisuseError for a name or device that does not exist, UserError for a device that is not there. */
export async function createEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) throw new MisuseError(`threads: ${threads} is not a positive whole number`);
  const create = Object.hasOwn(ENGINES, name) ? ENGINES[name] : undefined;
  if (create === undefined) throw unknown('engine', name, engineNames);
  return create(options);
}

const unknown = (what: string, value: string, known: readonly string[]): MisuseError =>
  new MisuseError(`there is no ${what} ${value}`, `one of: ${known.join(', ')}`);
