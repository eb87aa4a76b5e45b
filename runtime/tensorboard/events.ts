// A run's events for TensorBoard: one event a line of metrics.jsonl, in its order, so that a resumed run has no point twice. What lines say as scalars is here;
// pictures are made in `panels.ts`.
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs/light.js';
import { makeFolder, writeAll } from '../state/atomic.js';
import type { LogLine } from '../train/log.js';
import { record, records } from './records.js';

/** The messages of tensorflow/core/util/event.proto and framework/summary.proto that we write; field numbers are theirs. */
const root = protobuf.Root.fromJSON({ nested: {
  Event: { fields: { wallTime: { type: 'double', id: 1 }, step: { type: 'int64', id: 2 }, fileVersion: { type: 'string', id: 3 }, summary: { type: 'Summary', id: 5 } } },
  Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
  Value: { fields: { tag: { type: 'string', id: 1 }, simpleValue: { type: 'float', id: 2 }, image: { type: 'Image', id: 4 } } },
  Image: { fields: { height: { type: 'int32', id: 1 }, width: { type: 'int32', id: 2 }, colorspace: { type: 'int32', id: 3 }, encodedImageString: { type: 'bytes', id: 4 } } },
} });
const Event = root.lookupType('Event');

/** `encoded`: PNG or JPEG. */
export interface EventImage { readonly height: number; readonly width: number; readonly encoded: Uint8Array }
export type EventValue = { readonly tag: string; readonly scalar: number } | { readonly tag: string; readonly image: EventImage };

const RGB = 3;
const valueOf = (v: EventValue): object => ('scalar' in v
  ? { tag: v.tag, simpleValue: v.scalar }
  : { tag: v.tag, image: { height: v.image.height, width: v.image.width, colorspace: RGB, encodedImageString: v.image.encoded } });
const eventBytes = (fields: object): Uint8Array => record(Event.encode(Event.fromObject({ wallTime: Date.now() / 1000, ...fields })).finish());

/** A line's numbers. Scores are in [0, 1]; `lr` has a point a step and is not told again with the schedules. */
export function scalarsOf(line: LogLine): readonly EventValue[] {
  const scalar = (tag: string, value: number | undefined): readonly EventValue[] => (value === undefined ? [] : [{ tag, scalar: value }]);
  switch (line.kind) {
    case 'step': return [...scalar('loss/step', line.loss), ...scalar('lr', line.lr), ...scalar('gradient/norm', line.gradNorm)];
    case 'validation': return [
      ...scalar('loss/training', line.trainLoss), ...scalar('loss/validation', line.loss), ...scalar('dice/average', line.dice), ...scalar('miou/average', line.miou),
      ...Object.entries(line.perTask).flatMap(([task, s]) => [...scalar(`dice/${task}`, s.dice), ...scalar(`miou/${task}`, s.miou)]),
      ...Object.entries(line.schedules).flatMap(([name, value]) => (name === 'lr' ? [] : scalar(`schedule/${name}`, value))),
      ...scalar('epoch', line.epoch),
    ];
    default: return line satisfies never;
  }
}

export interface RunEvents {
  /** `more`: what the line does not hold. */
  append(line: LogLine, more?: readonly EventValue[]): void;
  close(): void;
}

export const eventsFile = (folder: string): string => join(folder, 'events.out.tfevents.tpsc');

const stepOf = (data: Uint8Array): number | undefined => { try { return Number((Event.decode(data) as unknown as { readonly step: unknown }).step); } catch { return undefined; } };

/**
 * Opens the events of a run whose log holds these lines: events of later lines are cut off (their steps are done again), and lines without an event get one,
 * without pictures. Throws UserError where the folder cannot be made.
 */
export function openEvents(folder: string, lines: readonly LogLine[]): RunEvents {
  makeFolder(folder);
  const path = eventsFile(folder), fd = openSync(path, 'a+'), [head, ...events] = records(readFileSync(path));
  const other = head === undefined ? 0 : events.findIndex(({ data }, i) => lines[i] === undefined || stepOf(data) !== lines[i].step), kept = other < 0 ? events : events.slice(0, other);
  ftruncateSync(fd, kept.at(-1)?.end ?? head?.end ?? 0);
  const write = (bytes: Uint8Array): void => { writeAll(fd, bytes); };
  const append = (line: LogLine, more: readonly EventValue[] = []): void => { write(eventBytes({ step: line.step, summary: { value: [...scalarsOf(line), ...more].map(valueOf) } })); };
  if (head === undefined) write(eventBytes({ fileVersion: 'brain.Event:2' }));
  for (const line of lines.slice(kept.length)) append(line);
  return { append, close: () => { fsyncSync(fd); closeSync(fd); } };
}
