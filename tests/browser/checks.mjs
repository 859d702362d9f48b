// What is checked, and what did not hold.

export const TIMEOUT = 30_000;

let checks = 0;
const failures = [];

/** Counts a check; what does not hold is told at once. */
export function expect(holds, what) {
  checks += 1;
  if (!holds) {
    failures.push(what);
    console.log(`  FAILED ${what}`);
  }
  return holds;
}

/** Tells the end, and says how the process has to end. */
export function close() {
  console.log(`${checks - failures.length} of ${checks} checks hold`);
  return failures.length === 0 && checks > 0 ? 0 : 1;
}
