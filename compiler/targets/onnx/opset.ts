// Which opsets of ai.onnx a file may be written for. Nothing else: commands read it without loading the target.

/** LayerNormalization came with 17. The rows of the op table write ops as opset 20 has them; `older.ts` says them to older ones. */
export const OPSETS = { least: 17, most: 23, usual: 20 } as const;

/** The IR version that came with an opset: a reader of that age accepts both. */
export function irVersionOf(opset: number): number {
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  return opset <= 22 ? 10 : 11;
}
