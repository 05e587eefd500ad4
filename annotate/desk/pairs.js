/** Calls and their results. */

/**
 * Each call with its first result, each result with its call. Where a source numbers none of them, a result belongs to
 * the call right before it.
 * @returns {Map<number, number>} positions, both ways
 */
export function pairsOf(steps) {
  const calls = new Map();
  const partners = new Map();
  const tie = (call, result) => {
    if (!partners.has(call)) partners.set(call, result);
    partners.set(result, call);
  };
  steps.forEach((step, index) => {
    const call = step.call ?? null;
    if (step.kind === "tool_call") {
      if (call !== null) calls.set(call, index);
    } else if (call !== null && calls.has(call)) tie(calls.get(call), index);
    else if (call === null && step.kind === "tool_result" && steps[index - 1]?.kind === "tool_call" && (steps[index - 1].call ?? null) === null) tie(index - 1, index);
  });
  return partners;
}
