// TFRecord framing: length, checksum of the length, data, checksum of the data. Bytes only; what is in a record is not known here.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** CRC-32C (Castagnoli): RFC 3720, appendix B.4 has test values. */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (c >>> 8) ^ (TABLE[(c ^ byte) & 0xff] ?? 0);
  return (c ^ 0xffffffff) >>> 0;
}

/** Turned and shifted, so that a checksum over data that hold checksums says something. */
export function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const HEAD = 12, TAIL = 4;

export function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD + data.length + TAIL), view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, HEAD);
  view.setUint32(HEAD + data.length, masked(data), true);
  return out;
}

/** The whole, undamaged records at the beginning of a file, each with the place where it ends. What follows the first that is torn is nothing. */
export function records(bytes: Uint8Array): readonly { readonly data: Uint8Array; readonly end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), found: { readonly data: Uint8Array; readonly end: number }[] = [];
  for (let at = 0; at + HEAD + TAIL <= bytes.length;) {
    const length = Number(view.getBigUint64(at, true)), end = at + HEAD + length + TAIL;
    if (view.getUint32(at + 8, true) !== masked(bytes.subarray(at, at + 8)) || end > bytes.length) break;
    const data = bytes.subarray(at + HEAD, at + HEAD + length);
    if (view.getUint32(end - TAIL, true) !== masked(data)) break;
    found.push({ data, end });
    at = end;
  }
  return found;
}
