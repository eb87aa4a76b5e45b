// A study of four rows on the tiny network of the command line's tests: a shared head, twice the width, and an alias that shares the runs of its base.
import { TINY } from '../cli/specs.js';

export const ROWS = ['main', 'wide', 'shared', 'same'] as const;
export const study = (entries: string, rows: readonly string[] = ROWS): string => `${TINY}
variant shared "one head for all tasks" of main {
  set Tiny.logits = conv(1)(y) |> resize([32, 32], mode: bilinear)
}
variant same "main again" of main { alias }

study widths "Widths of the first layer" of main {
  rows = [${rows.join(', ')}], baseline = main
  columns = [{ label: "AVG_Dice", by: [dice] }]
  ${entries}
}
`;
