// Which opsets of ai.onnx a file may be written for. Nothing else: commands read it without loading the target.

/** The rows of the op table write ops as opset 20 has them (Gelu came with it, axes as inputs with 18). */
export const OPSETS = { least: 20, most: 23, usual: 20 } as const;

/** The IR version that came with an opset: a reader of that age accepts both. */
export function irVersionOf(opset: number): number {
  if (opset <= 20) return 9;
  return opset <= 22 ? 10 : 11;
}
