/** Who speaks in a step and of what kind it is: its tone, its sign, its name, and whether it reports an error. */
import { plain } from "./text.js";

const AGENT = new Set(["agent", "assistant", "ai", "model", "bot", "gpt"]);
const USER = new Set(["user", "human", "operator", "customer", "client", "principal"]);
const SYSTEM = new Set(["system", "developer", "profile"]);
export const SIGNS = { agent: "■", user: "▲", system: "○", other: "●", reasoning: "◌", tool_call: "▸", tool_result: "◂", observation: "◇", note: "✎" };
const NAMES = { reasoning: "reasoning", tool_call: "tool call", tool_result: "result", observation: "observation", note: "note" };
const NAME_AT_MOST = 80;

const nameIn = (speaker) => (speaker ?? "").trim().toLowerCase();
export const isSystem = (step) => SYSTEM.has(nameIn(step.speaker));

/** Who the agents of a trajectory are, whatever their names: whoever reasons or calls tools. */
export const castOf = (steps) => new Set(steps.filter(({ kind }) => kind === "tool_call" || kind === "reasoning").map(({ speaker }) => nameIn(speaker)));

/** @returns {"agent"|"user"|"system"|"other"} */
export function partyOf(speaker, cast) {
  const name = nameIn(speaker);
  if (SYSTEM.has(name)) return "system";
  if (name === "" || AGENT.has(name) || cast.has(name)) return "agent";
  // Where the agent is known, whoever else speaks is somebody it works for or with.
  return USER.has(name) || cast.size > 0 ? "user" : "other";
}

/** What colours a step: who speaks in messages, the kind elsewhere. */
export const toneOf = (step, cast) => (isSystem(step) ? "system" : step.kind === "message" ? partyOf(step.speaker, cast) : step.kind);

/** A speaker as a string to show. */
export const speakerOf = (step) => plain((step.speaker ?? "").slice(0, NAME_AT_MOST));

/** What a step is called beside its number. */
export const nameOf = (step) => (step.kind === "tool_result" && step.error ? "error" : NAMES[step.kind] ?? (speakerOf(step) || "agent"));

/**
 * Who reasons, calls or answers is worth a line only where it is not plainly the one agent or the tool it called.
 * @returns {string} nothing where it is plain
 */
export function secondName(step, { paired, cast }) {
  const plainly = step.kind === "tool_result" ? paired : cast.size < 2 && partyOf(step.speaker, cast) === "agent";
  return NAMES[step.kind] && !plainly ? speakerOf(step) : "";
}

const BEGINS_AS_ERROR = /^\s*(?:["'`[(<]*)(?:[\w.]*(?:Error|Exception)\b|error\b|fatal\b|traceback \(most recent|command failed|exit(?:ed)?(?: with)?(?: code| status)?:? ?[1-9])/i;
const SAYS_ERROR = /Traceback \(most recent call last\)|\b(?:exit(?:ed)?|return(?:ed)?)(?: with)?[ _](?:code|status):? ?[1-9]\d*\b/;
const LOOKED_AT = 2000;

/** Whether a step reports an error: because its source says so, or because it reads like one. */
export function isError(step) {
  if (step.error) return true;
  if (step.kind !== "tool_result" && step.kind !== "observation") return false;
  const text = step.text ?? "";
  return BEGINS_AS_ERROR.test(text.slice(0, 120)) || SAYS_ERROR.test(text.slice(0, LOOKED_AT)) || (text.length > LOOKED_AT && SAYS_ERROR.test(text.slice(-LOOKED_AT)));
}
