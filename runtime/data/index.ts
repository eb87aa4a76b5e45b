// Front door of the data room: what the loop, the commands and the reports may import.
// scanDataset(root, folders, { split? }) -> Dataset; checkDataset(root, folders, …) -> DataProblem[]; taskFolders(program rows) -> folders
// trainBatches(dataset, split, options) -> TrainBatches; evalBatches(dataset, split, options) -> async batches of one task each
// groupByTask(batch) -> TaskGroup[]; makeCache({ bytes }) -> ImageCache
export type {
  Batch, DataItem, DataProblem, Dataset, DecodedPair, EvalBatchOptions, ImageCache, Size, Split, SplitRule, TaskFolder, TaskGroup,
  TrainBatches, TrainBatchOptions,
} from './types.js';
export { SPLITS } from './types.js';
