// Front door of the metrics: counts per image, scores from counts, trivial baselines.
export { addCounts, batchCounts, confusion, lesionMask, type Confusion, type ImageCounts } from './counts.js';
export { dice, miouDefinitions, miouText, scoreOf, scoresOf, type MiouDefinition, type Score, type Scores } from './scores.js';
export { baselineCounts, BASELINES, meanMask, type Baseline, type BaselineOptions } from './baselines.js';
