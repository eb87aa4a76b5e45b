#!/usr/bin/env node
// The program `tpsc`. All it does is to run the command line and set the exit code.
import { run } from './run.js';

// A reader that closes early (`tpsc inspect x | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2));
