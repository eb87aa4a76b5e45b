// What an engine offers whose device has a memory of its own: functions on values that stay there, and tensors that are read when somebody looks.
import type { Graph } from '../../compiler/ir/graph.js';
import type { Engine, Tensor, TensorData } from './engine.js';

/** A tensor in the device's memory. */
export interface DeviceValue {
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
  /** Copies it to the host: a readback. */
  read(): TensorData;
  dispose(): void;
}

export interface DeviceFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values are read and stay the caller's; tensors go to the device for this run. Results are the caller's to dispose. Throws as `CompiledFunction.run`. */
  run(feeds: Readonly<Record<string, DeviceValue | Tensor>>): Promise<Readonly<Record<string, DeviceValue>>>;
  dispose(): Promise<void>;
}

export interface DeviceMemory {
  compile(graph: Graph): Promise<DeviceFunction>;
  put(tensor: Tensor): DeviceValue;
}

export interface DeviceEngine extends Engine { readonly memory: DeviceMemory }

export const hasMemory = (engine: Engine): engine is DeviceEngine => 'memory' in engine;

/** A tensor whose numbers are on a device: they are copied when `data` is looked at, once. The value belongs to who made it. */
export class ResidentTensor implements Tensor {
  private copy: TensorData | undefined;
  private gone = false;

  constructor(readonly value: DeviceValue) {}

  get dtype(): Tensor['dtype'] { return this.value.dtype; }
  get shape(): readonly number[] { return this.value.shape; }
  /** Throws where the value was given up before anybody looked. */
  get data(): TensorData {
    if (this.copy === undefined && this.gone) throw new Error('a tensor of a training state is read after the step that replaced it');
    return this.copy ??= this.value.read();
  }
  /** Whether the device still holds it. */
  get held(): boolean { return !this.gone; }

  release(): void {
    if (!this.gone) this.value.dispose();
    this.gone = true;
  }
}

export const isValue = (x: DeviceValue | Tensor): x is DeviceValue => 'read' in x;
