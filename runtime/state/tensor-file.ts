// Opens a file of weights, whatever its format. The formats are in `safetensors.ts` and `torch.ts`.
import { UserError } from '../errors.js';
import { beginsAsZip, withFile } from './random-access.js';
import { storedInSafetensors } from './safetensors.js';
import type { TensorFile } from './stored.js';
import { beginsAsPickle, storedInTorch } from './torch.js';

/**
 * Opens a .safetensors or .pt file for the time of `use`, by what it begins with. `entry`: the state dict's key in a .pt that holds several.
 * Throws UserError for what is neither, or lies.
 */
export function withTensorFile<T>(path: string, entry: string | undefined, use: (file: TensorFile) => T): T {
  return withFile(path, (file) => {
    const head = file.bytes(0, Math.min(file.size, 16));
    if (beginsAsZip(head)) return use(storedInTorch(file, entry));
    if (beginsAsPickle(head)) {
      throw new UserError(`${path} is a bare pickle, as torch.save wrote before PyTorch 1.6`, 'Load it in PyTorch and save it again: torch.save(torch.load(FILE, weights_only=True), NEW).');
    }
    if (entry !== undefined) throw new UserError(`${path} is no PyTorch checkpoint, so it has no entry \`${entry}\``, 'Leave --entry away.');
    return use(storedInSafetensors(file));
  });
}
