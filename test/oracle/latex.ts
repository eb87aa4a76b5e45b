// Tables of `tpsc table` through a real TeX: each file is set in a document with booktabs, and every complaint of TeX is told.
//   npx tsx test/oracle/latex.ts [--latex PATH] [--keep FOLDER] TABLE.tex…
// Without a pdflatex (Debian: texlive-latex-base, texlive-latex-recommended) this says so and is done. --keep keeps the PDFs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: { latex, keep }, positionals: files } = parseArgs({ allowPositionals: true, options: { latex: { type: 'string' }, keep: { type: 'string' } } });
if (files.length === 0) throw new Error('give files of `tpsc table --out TABLE.tex`');
const found = latex ?? (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'pdflatex')).find(existsSync);
if (found === undefined) {
  process.stdout.write('skipped: there is no pdflatex here, and --latex names none\n');
  process.exit(0);
}

/** The page of a two-column conference paper is 6.9 inches wide between its margins. */
const document = (table: string): string =>
  `\\documentclass[10pt,twocolumn]{article}\n\\usepackage[letterpaper,textwidth=6.9in,textheight=9in]{geometry}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n${table}\n\\end{document}\n`;

const scratch = mkdtempSync(join(tmpdir(), 'tpsc-latex-'));
let wrong = 0;
try {
  for (const [i, file] of files.entries()) {
    const stem = `table${i}`;
    writeFileSync(join(scratch, `${stem}.tex`), document(readFileSync(file, 'utf8')));
    const { status, stdout } = spawnSync(found, ['-interaction=nonstopmode', '-halt-on-error', '-no-shell-escape', `${stem}.tex`], { cwd: scratch, encoding: 'utf8', timeout: 60_000 });
    const errors = stdout.split('\n').filter((line) => line.startsWith('!')), wide = stdout.split('\n').filter((line) => /^Overfull \\hbox|Float too large/.test(line)), other = stdout.split('\n').filter((line) => /^(LaTeX|Package \w+) Warning/.test(line) && !/Rerun|Float too large/.test(line));
    const pages = /\((\d+) pages?/.exec(stdout)?.[1] ?? '0', fine = status === 0 && errors.length === 0 && wide.length === 0;
    process.stdout.write(`${file}: ${fine ? `fine, ${pages} page${pages === '1' ? '' : 's'}` : [...errors, ...wide].join('; ') || `pdflatex ended with ${status}`}${other.length === 0 ? '' : ` (${other.join('; ')})`}\n`);
    if (!fine) wrong++;
    if (keep !== undefined && existsSync(join(scratch, `${stem}.pdf`))) {
      mkdirSync(keep, { recursive: true });
      copyFileSync(join(scratch, `${stem}.pdf`), join(keep, `${basename(file, '.tex')}.pdf`));
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(wrong > 0 ? 1 : 0);
