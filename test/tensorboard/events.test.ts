// Event files: checksums by published vectors, a file that Python's `tensorboard` wrote, and runs whose events follow their log through stops, kills and torn
// files. The reader here is its own: it shares no line with what writes.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCache, type Dataset } from '../../runtime/data/index.js';
import type { Engine } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { eventsFile, openEvents } from '../../runtime/tensorboard/events.js';
import { crc32c, masked, record, records } from '../../runtime/tensorboard/records.js';
import { readLog, type LogLine } from '../../runtime/train/log.js';
import { train, type TrainOptions } from '../../runtime/train/loop.js';
import { tinyData, tinyProgram } from '../train/tiny.js';

// ---------------------------------------------------------------- a small reader of protocol buffers

type Fields = Map<number, (number | Uint8Array)[]>;
function fieldsOf(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), out: Fields = new Map();
  let at = 0;
  const varint = (): number => { let value = 0, scale = 1; for (;;) { const b = bytes[at++]!; value += (b & 127) * scale; scale *= 128; if (b < 128) return value; } };
  while (at < bytes.length) {
    const key = varint(), field = Math.floor(key / 8);
    let value: number | Uint8Array;
    switch (key % 8) {
      case 0: value = varint(); break;
      case 1: value = view.getFloat64(at, true); at += 8; break;
      case 5: value = view.getFloat32(at, true); at += 4; break;
      case 2: { const length = varint(); value = bytes.subarray(at, at + length); at += length; break; }
      default: throw new Error(`wire type ${key % 8}`);
    }
    out.set(field, [...(out.get(field) ?? []), value]);
  }
  return out;
}
const utf8 = (value: number | Uint8Array | undefined): string => Buffer.from(value as Uint8Array).toString('utf8');
interface Told { readonly step: number; readonly scalars: Readonly<Record<string, number>>; readonly images: Readonly<Record<string, Uint8Array>> }
function told(data: Uint8Array): Told {
  const event = fieldsOf(data), values = (fieldsOf((event.get(5)?.[0] ?? new Uint8Array()) as Uint8Array).get(1) ?? []).map((v) => fieldsOf(v as Uint8Array));
  const of = <T>(field: number, read: (v: number | Uint8Array) => T): Record<string, T> => Object.fromEntries(values.filter((v) => v.has(field)).map((v) => [utf8(v.get(1)![0]), read(v.get(field)![0]!)]));
  return { step: (event.get(2)?.[0] ?? 0) as number, scalars: of(2, (v) => v as number), images: of(4, (v) => Uint8Array.from(fieldsOf(v as Uint8Array).get(4)![0] as Uint8Array)) };
}
/** The events of a file after its head; fails where it holds anything but whole records. */
function eventsIn(folder: string): readonly Told[] {
  const bytes = readFileSync(eventsFile(folder)), found = records(bytes);
  expect(found.at(-1)?.end).toBe(bytes.length);
  expect(utf8(fieldsOf(found[0]!.data).get(3)![0])).toBe('brain.Event:2');
  return found.slice(1).map(({ data }) => told(data));
}

// ---------------------------------------------------------------- bytes

describe('records', () => {
  it('CRC-32C of RFC 3720, and of the digits', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect([crc32c(new Uint8Array(32)), crc32c(new Uint8Array(32).fill(255)), crc32c(ascending), crc32c(ascending.toReversed()), crc32c(Buffer.from('123456789'))]).toEqual([0x8a9136aa, 0x62a8ab43, 0x46dd794e, 0x113fdb5c, 0xe3069283]);
    expect(masked(Buffer.from('123456789'))).toBe((((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0);
  });
  // RecordWriter of Python's tensorboard 2.21: a file version at wall time 1.5; at 2.5, step 300, loss/step 0.1 and an image `m` of 2 x 6 pixels, bytes ff d8
  const GOLDEN = 'GAAAAAAAAACjf0siCQAAAAAAAPg/Gg1icmFpbi5FdmVudDoyKihkbDEAAAAAAAAAnYOD6QkAAAAAAAAEQBCsAiojChAKCWxvc3Mvc3RlcBXNzMw9Cg8KAW0iCggCEAYYAyIC/9j/1W0l';
  it('reads and writes what Python writes, byte for byte', () => {
    const bytes = Buffer.from(GOLDEN, 'base64'), found = records(bytes);
    expect(Buffer.concat(found.map(({ data }) => record(data))).equals(bytes)).toBe(true);
    expect(told(found[1]!.data)).toEqual({ step: 300, scalars: { 'loss/step': Math.fround(0.1) }, images: { m: Uint8Array.of(0xff, 0xd8) } });
  });
  it('stop at what is torn or changed', () => {
    const whole = Buffer.concat([record(Uint8Array.of(1, 2, 3)), record(Uint8Array.of(4))]);
    expect(records(whole)).toHaveLength(2);
    for (let cut = 1; cut < 17; cut++) expect(records(whole.subarray(0, whole.length - cut))).toHaveLength(1);
    for (const at of [19, 22, 28, 31, whole.length - 1]) { const bad = Uint8Array.from(whole); bad[at]! ^= 1; expect(records(bad)).toHaveLength(1); }
  });
});

// ---------------------------------------------------------------- runs

let root: string, dataset: Dataset, engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'events-'));
  dataset = await tinyData(join(root, 'data'));
  engine = await createEngine('ort', { threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const run = (name: string, more: Partial<TrainOptions> = {}) => train({ program: tinyProgram(), engine, dataset, cache: makeCache(), out: at(name), seed: 7, tensorboard: at(name), ...more });
const logOf = (name: string): readonly LogLine[] => readLog(join(at(name), 'metrics.jsonl'));
/** The scalars that a line stands for, as they must be in the file. */
function wanted(line: LogLine): Readonly<Record<string, number>> {
  const rounded = (o: Readonly<Record<string, number | undefined>>): Record<string, number> => Object.fromEntries(Object.entries(o).flatMap(([k, v]) => (v === undefined ? [] : [[k, Math.fround(v)]])));
  if (line.kind === 'step') return rounded({ 'loss/step': line.loss, lr: line.lr, 'gradient/norm': line.gradNorm });
  const { lr: _, ...schedules } = line.schedules, each = Object.entries(line.perTask);
  return rounded({
    'loss/training': line.trainLoss, 'loss/validation': line.loss, 'dice/average': line.dice, 'miou/average': line.miou, epoch: line.epoch,
    ...Object.fromEntries([...each.map(([t, s]) => [`dice/${t}`, s.dice]), ...each.map(([t, s]) => [`miou/${t}`, s.miou]), ...Object.entries(schedules).map(([n, v]) => [`schedule/${n}`, v])]),
  });
}
const expectLog = (name: string, folder = at(name)): void => { expect(eventsIn(folder).map(({ step, scalars }) => ({ step, scalars }))).toEqual(logOf(name).map((line) => ({ step: line.step, scalars: wanted(line) }))); };

describe('events of a run', () => {
  it('are its log, line by line, with a strip of pictures of each task at each validation', async () => {
    await run('whole');
    expectLog('whole');
    const validations = eventsIn(at('whole')).filter((_, i) => logOf('whole')[i]!.kind === 'validation');
    expect(validations).toHaveLength(3);
    for (const { images } of validations) {
      expect(Object.keys(images)).toEqual(['masks/AA/p7', 'masks/BB/p6', 'masks/CC/p5']);
      for (const bytes of Object.values(images)) expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: 24, height: 8 });
    }
  });
  it('change no number of the training', async () => {
    await train({ program: tinyProgram(), engine, dataset, cache: makeCache(), out: at('without'), seed: 7 });
    expect(existsSync(eventsFile(at('without')))).toBe(false);
    expect(logOf('without')).toEqual(logOf('whole'));
  });
  it.each([[1], [4], [6]])('stopped after step %i and resumed, no point is there twice', async (step) => {
    const name = `stopped-${step}`;
    await run(name, { maxSteps: step });
    await run(name, { resume: true });
    expectLog(name);
    expect(eventsIn(at(name)).map((e) => Object.keys(e.images))).toEqual(eventsIn(at('whole')).map((e) => Object.keys(e.images)));
  });
  it('after a kill: what comes after the checkpoint, and a torn end, are cut; pictures of before stay', async () => {
    await run('killed', { maxSteps: 6 });
    const before = readFileSync(eventsFile(at('killed')));
    // the process went on to step 8 without a checkpoint, and was killed while it wrote
    openEvents(at('killed'), [...logOf('killed'), { kind: 'step', step: 7, epoch: 2, loss: 9, lr: 9 }, { kind: 'step', step: 8, epoch: 2, loss: 9, lr: 9 }]).close();
    appendFileSync(join(at('killed'), 'metrics.jsonl'), '{"kind":"step","step":7,"epoch":2,"loss":9,"lr":9}\n{"kind":"st');
    truncateSync(eventsFile(at('killed')), readFileSync(eventsFile(at('killed'))).length - 5);
    await run('killed', { resume: true });
    expectLog('killed');
    expect(readFileSync(eventsFile(at('killed'))).subarray(0, before.length).equals(before)).toBe(true);
  });
  it('are made from the log where a run was trained without them, or its file is damaged', async () => {
    await train({ program: tinyProgram(), engine, dataset, cache: makeCache(), out: at('without'), seed: 7, resume: true, tensorboard: at('apart') });
    expectLog('without', at('apart'));
    writeFileSync(eventsFile(at('whole')), Buffer.concat([readFileSync(eventsFile(at('whole'))).subarray(0, 1000), Buffer.alloc(50, 7)]));
    await run('whole', { resume: true });
    expectLog('whole');
  });
  it('of another run in the same folder begin anew', async () => {
    const folder = at('whole');
    openEvents(folder, logOf('whole').slice(2)).close();
    expect(eventsIn(folder).map((e) => e.step)).toEqual(logOf('whole').slice(2).map((l) => l.step));
  });
});
