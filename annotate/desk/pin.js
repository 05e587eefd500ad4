/**
 * Which wording and which codebook page this page was opened with: an opaque text, the pin. A server that was started
 * again with others names another pin, and then the page is opened anew, so that nobody answers what is not shown.
 */
const DUE = "due";
const DONE = "done";

/** Whether two pins differ; a server that names none says nothing about it. */
export const differs = (one, other) => typeof one === "string" && typeof other === "string" && one !== other;

/** Openings anew, remembered in the tab: one for each pin, or a server at odds with itself would make the page reload forever. */
export class Reopening {
  /** @param {string} owner */
  constructor(owner) {
    this.prefix = `rejudge reopened ${encodeURIComponent(owner)} `;
    this.for = null;
  }

  /**
   * @param {string} pin
   * @param {() => Promise<void>} ready what has to be done before the page goes
   * @returns {boolean} whether the page is about to be opened anew
   */
  begin(pin, ready) {
    if (this.for !== null) return true;
    try {
      if (sessionStorage.getItem(this.prefix + pin)) return false;
      sessionStorage.setItem(this.prefix + pin, DUE);
    } catch {
      // Without a memory a reload could follow a reload.
      return false;
    }
    this.for = pin;
    ready().finally(() => location.reload());
    return true;
  }

  /** @returns {boolean} whether this page was just opened anew for this pin */
  arrived(pin) {
    try {
      if (sessionStorage.getItem(this.prefix + pin) !== DUE) return false;
      sessionStorage.setItem(this.prefix + pin, DONE);
      return true;
    } catch {
      return false;
    }
  }
}
