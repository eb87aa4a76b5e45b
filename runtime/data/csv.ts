// CSV as RFC 4180 has it: a text's records, and a field as it is written. What the columns mean is the reader's matter.

interface Record_ { readonly line: number; readonly fields: readonly string[] }

/** Records of a CSV text (RFC 4180: quotes, doubled quotes, line breaks in quotes; CRLF or LF; a byte order mark is skipped). */
export function* records(text: string): Generator<Record_> {
  let at = text.startsWith('\uFEFF') ? 1 : 0, line = 1;
  while (at < text.length) {
    const start = line, fields: string[] = [];
    for (let open = true; open;) {
      let field = '';
      if (text[at] === '"') {
        for (at++; at < text.length; at++) {
          if (text[at] === '"') { if (text[at + 1] !== '"') break; at++; }
          if (text[at] === '\n') line++;
          field += text[at];
        }
        at++;
      }
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') field += text[at++];
      fields.push(field.replace(/\r$/, '').trim());
      open = text[at] === ',';
      at++;
    }
    line++;
    if (fields.some((f) => f !== '')) yield { line: start, fields };
  }
}

/** In quotes where it has to be. */
export const csvField = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
