// Every problem that a data set can have: code, severity, text, what to do. No message about data anywhere else.
import { UserError } from '../errors.js';
import type { DataProblem } from './types.js';

const TABLE = {
  DATA001: { severity: 'error', message: 'task {task} has no folder {file}',
    help: 'Make {file}/images and {file}/masks, name the folder in the spec (`folder: "…"` in the task\'s record), or leave the task out with --tasks.' },
  DATA002: { severity: 'error', message: '{what} holds no image',
    help: 'Put one PNG, JPEG, TIFF or WebP per case into images/ and its mask, under the same stem, into masks/.' },
  DATA003: { severity: 'error', message: 'image without a mask: {expected} is missing',
    help: 'Add the mask under the same stem, or remove the image. A case without lesion needs a mask that is all 0.' },
  DATA004: { severity: 'error', message: 'mask without an image: {expected} is missing',
    help: 'Add the image under the same stem, or remove the mask.' },
  DATA005: { severity: 'error', message: 'duplicate stem: {files} name the same case',
    help: 'Keep one of them, or give the cases different stems.' },
  DATA006: { severity: 'error', message: 'manifest.csv, line {line}, names this file, and it does not exist',
    help: 'Paths in manifest.csv are relative to the data folder, with `/`. Mend the path or remove the row.' },
  DATA007: { severity: 'error', message: 'manifest.csv, line {line}: unknown split "{value}"',
    help: 'A split is one of train, val, test.' },
  DATA008: { severity: 'error', message: 'group "{group}" of task {task} is in two splits: {splits}',
    help: 'A group is one patient, case or volume; its images must stay together, or validation measures memory. Move {count} to one split.' },
  DATA009: { severity: 'error', message: 'manifest.csv{where}: {why}',
    help: 'The first line names the columns; task, file and mask are needed, group and split are read where present.' },
  DATA010: { severity: 'error', message: 'not an image that can be read: {why}',
    help: 'Replace the file, or convert it to PNG. DICOM, NIfTI and BMP are not read.' },
  DATA011: { severity: 'error', message: 'corrupt or truncated: {why}',
    help: 'Fetch the file again from its source; a decoder would fill the missing part with grey.' },
  DATA012: { severity: 'error', message: '{bits} picture: which range of grey matters is not in the file',
    help: 'Choose a window (level and width) and write 8-bit PNG. Halving the bits without a window loses the contrast in silence.' },
  DATA013: { severity: 'error', message: 'the mask has {mask} pixels, its image {image}',
    help: 'Export the mask at the image\'s own size (width x height); turned by 90 degrees is the usual cause.' },
  DATA014: { severity: 'error', message: 'the brightest value of the mask is {max}: above half of 255 nothing is left, and the mask would be empty',
    help: 'Write lesion as 255 and background as 0 (multiply a 0/1 mask by 255).' },
  DATA015: { severity: 'warning', message: 'the mask is not binary: {percent} % of its pixels lie between 8 and 247',
    help: 'They are cut at half of 255. That is right for smoothed edges, wrong for a soft or many-valued label.' },
  DATA016: { severity: 'warning', message: 'the mask is empty',
    help: 'Right for a case without lesion; Dice is then 1 only where nothing is predicted.' },
  DATA017: { severity: 'warning', message: '{count} of its images are not in manifest.csv and are not used (the first: {first})',
    help: 'Add rows for them, or remove the manifest to use every pair.' },
  DATA018: { severity: 'warning', message: 'task {task} has no {split} image',
    help: 'Its share of the {split} split is empty: mend the split column, or choose another ratio or fold.' },
  DATA019: { severity: 'warning', message: 'the same picture is in two splits: also {other} ({splits})',
    help: 'Equal files in train and val make validation measure memory. Remove one, or put both into one group.' },
  DATA020: { severity: 'error', message: 'the mask is coloured: a cut of its grey value would keep some colours and lose others',
    help: 'Write one mask a task: 255 where the colour means lesion, 0 elsewhere.' },
  DATA021: { severity: 'warning', message: 'not read: {count} files in it are no images (the first: {first})',
    help: 'Only .png .jpg .jpeg .tif .tiff .webp .gif files are taken as cases.' },
  DATA022: { severity: 'warning', message: 'the decoder complains but reads it to the end: {why}',
    help: 'Look at the picture; saving it anew as PNG ends the complaint.' },
} as const;

export type DataProblemCode = keyof typeof TABLE;

/** A problem of the table with its holes filled. Throws where a hole has no value: the caller is at fault. */
export function dataProblem(code: DataProblemCode, file: string, holes: Readonly<Record<string, string | number>> = {}): DataProblem {
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, hole: string) => {
    const value = hole === 'file' ? file : holes[hole];
    if (value === undefined) throw new Error(`${code}: no value for {${hole}}`);
    return String(value);
  });
  const row = TABLE[code];
  return { code, severity: row.severity, file, message: fill(row.message), help: fill(row.help) };
}

export const dataProblemCodes = Object.keys(TABLE) as readonly DataProblemCode[];

const LISTED = 20;

/**
 * Throws a UserError that lists the errors, if there is any. Training calls it before the first step.
 * `accepted` names codes that the user has looked at and takes (a command's `--accept DATA008`); they no longer refuse.
 */
export function refuseErrors(root: string, problems: readonly DataProblem[], accepted: readonly string[] = []): void {
  const errors = problems.filter((p) => p.severity === 'error' && !accepted.includes(p.code));
  if (errors.length === 0) return;
  const lines = errors.slice(0, LISTED).map((p) => `  ${p.code} ${p.file}: ${p.message}`);
  if (errors.length > LISTED) lines.push(`  … and ${errors.length - LISTED} more`);
  throw new UserError(`${root}: the data have ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}\n${lines.join('\n')}`,
    `\`tpsc data check ${root}\` explains each and says what to do.`);
}
