// Front door of the statistics: tests, corrections and intervals of numbers that are paired already.
export { wilcoxon, type SignedRank } from './wilcoxon.js';
export { holm } from './holm.js';
export { bootstrapDistribution, bootstrapInterval, type BootstrapOptions, type Interval } from './bootstrap.js';
export { normalCdf, normalQuantile, normalTail } from './normal.js';
export { mean, median, sampleDeviation } from './moments.js';
