// Front door of the data room: what the loop, the commands and the reports may import.
// scanDataset(root, folders, { split? }) -> Dataset; checkDataset(root, folders, …) -> DataProblem[]; taskFolders(program rows) -> folders
// trainBatches(dataset, split, options) -> TrainBatches; evalBatches(dataset, split, options) -> async batches of one task each
// groupByTask(batch) -> TaskGroup[]; startLoader({ bytes }) -> ImageCache on a thread of its own; makeCache({ bytes }) -> one on the caller's
export type {
  Batch, DataItem, DataProblem, Dataset, DecodedPair, EvalBatchOptions, ImageCache, Pipeline, Sampling, Size, Split, SplitRule, TaskFolder, TaskGroup,
  TrainBatches, TrainBatchOptions,
} from './types.js';
export { SPLITS } from './types.js';
export { dataProblemCodes, refuseErrors, type DataProblemCode } from './problems.js';
export { foldersIn, taskFolders } from './folders.js';
export { scanDataset, type ScanOptions } from './scan.js';
export { checkDataset, checkedDataset } from './check.js';
export { decodeImage, decodeMask, nearest } from './decode.js';
export { makeCache } from './cache.js';
export { startLoader } from './loader.js';
export { cutAt, normalized, pipelineOf } from './augment.js';
export { evalBatches, groupByTask, trainBatches } from './batches.js';
export { drawPhantom, makePhantom, phantomTasks, type PhantomOptions, type PhantomSummary } from './phantom/index.js';
