// The limits of exported files. Nothing else: commands read them without loading what writes.

/** MiB of tensors from which on they lie in a second file: an ONNX file (a protobuf message) ends at 2 GiB, and 48 MiB are left for the rest. */
export const EXTERNAL_DATA = { usual: 128, most: 2000 } as const;
