/**
 * Which questions an item is asked, and what an answer to each still lacks. The server keeps the same rules and decides;
 * here they are for the annotator, who hears of it at once.
 */

/** One question's answer before anything is said. */
export const BLANK = Object.freeze({ choice: null, choices: null, score: null, unsure: false, evidence: [], rationale: "", confidence: null });
/** What takes an answer back, and leaves what was written beside it. */
export const NO_ANSWER = Object.freeze({ choice: null, choices: null, score: null, unsure: false });

const names = (given, choice) => given.choice === choice || (given.choices ?? []).includes(choice);

/**
 * The questions whose condition holds; one that depends on a question that is not asked is not asked either.
 * @param {object[]} questions
 * @param {Object<string, object>} given answers by question
 */
export function asked(questions, given) {
  const found = new Set();
  for (const { id, when } of questions) if (!when || (found.has(when.question) && names(given[when.question], when.is))) found.add(id);
  return questions.filter(({ id }) => found.has(id));
}

export const isAnswered = ({ choice, choices, score, unsure }) => unsure || choice !== null || choices !== null || score !== null;

/** "First failing step" is asked for the positive choice alone. */
export function asksForStep(question, given) {
  if (question.evidence === "first") return given.choice === question.positive || (given.unsure && given.evidence.length > 0);
  return question.evidence !== "none";
}

const HOW = {
  multilabel: "Mark what holds, or 0 for none of them; u for unsure.",
  score: "Give a score first, or u for unsure.",
};

/** @returns {{what: "answer"|"evidence", words: string} | null} what this question still needs */
export function missing(question, given) {
  if (!isAnswered(given)) return { what: "answer", words: HOW[question.type] ?? "Choose an answer first, or u for unsure." };
  if (given.unsure || given.evidence.length > 0) return null;
  if (question.evidence === "first" && given.choice === question.positive) return { what: "evidence", words: "Mark the first failing step: move with j k, mark with e." };
  if (question.evidence === "any") return { what: "evidence", words: "Mark at least one step: move with j k, mark with e." };
  return null;
}

/** An answer in a few words; empty where there is none. */
export function inWords({ choice, choices, score, unsure }) {
  if (unsure) return "unsure";
  if (choices !== null) return choices.join(", ") || "none of them";
  return choice ?? (score === null ? "" : String(score));
}

/** What goes out of an answer: what was said, and the evidence where it is asked for. */
export function outgoing(question, given) {
  const { rationale, confidence } = given;
  const said = Object.fromEntries(Object.keys(NO_ANSWER).filter((key) => given[key] !== null && given[key] !== false).map((key) => [key, given[key]]));
  return { ...said, evidence: asksForStep(question, given) ? given.evidence : [], rationale, confidence };
}
