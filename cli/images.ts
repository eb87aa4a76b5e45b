// Paths of images as commands take them: files, and folders for all images in them.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../runtime/errors.js';

const IMAGE = /\.(png|jpe?g|tiff?|webp|gif)$/i;

/** Files in the order given, folders by name. Throws UserError where a path does not exist or a folder holds no image. */
export function imagePaths(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (!existsSync(path)) throw new UserError(`there is no image ${path}`);
    if (!statSync(path).isDirectory()) return [path];
    const inside = readdirSync(path).filter((name) => IMAGE.test(name)).sort().map((name) => join(path, name));
    if (inside.length === 0) throw new UserError(`the folder ${path} holds no image`);
    return inside;
  });
}
