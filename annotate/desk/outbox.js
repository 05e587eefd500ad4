/**
 * Labels on their way. An event is written to sessionStorage in the key handler, before anything is sent, and leaves it
 * only when the server says that it is durable. Always the whole unacknowledged list is sent: the server knows each event
 * by (outbox, seq), so sending it twice, from a copied tab or after a reload, changes nothing.
 */
const RETRY = 1500;
const SIGNED_OUT_RETRY = 15_000;
const SIGNED_OUT = "Signed out: open your sign-in link again";
/** A server that hangs is a server that is down; the list is sent again. */
const PATIENCE = 8000;
/** Browsers refuse keepalive, which outlives the tab, for larger bodies. */
const KEEPALIVE_AT_MOST = 50_000;

/** crypto.randomUUID is missing on plain http of a LAN address; getRandomValues is not. */
function freshId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One page load's list, as it lies in sessionStorage. */
class List {
  constructor(prefix, id, events = []) {
    this.key = prefix + id;
    this.id = id;
    this.events = events;
    /** Up to this sequence number events go one by one, because together they were not read. */
    this.aloneTo = 0;
  }

  /** What goes out next. */
  get next() {
    return this.events[0]?.seq <= this.aloneTo ? this.events.slice(0, 1) : this.events;
  }

  keep() {
    try {
      if (this.events.length) sessionStorage.setItem(this.key, JSON.stringify(this.events));
      else sessionStorage.removeItem(this.key);
    } catch {
      // Storage is full or forbidden: the list lives on in this page, and "not saved" stays true until it is.
    }
  }

  drop(gone) {
    const before = this.events.length;
    this.events = this.events.filter((event) => !gone(event.seq));
    this.keep();
    return this.events.length < before;
  }
}

function leftBehind(prefix) {
  const lists = [];
  try {
    for (let n = 0; n < sessionStorage.length; n++) {
      const key = sessionStorage.key(n);
      if (!key.startsWith(prefix)) continue;
      const events = JSON.parse(sessionStorage.getItem(key));
      if (Array.isArray(events) && events.length) lists.push(new List(prefix, key.slice(prefix.length), events));
    }
  } catch {
    // Unreadable storage holds nothing that could be replayed.
  }
  return lists;
}

export class Outbox {
  /**
   * @param {string} base
   * @param {string} owner whose events these are, in which study; another's in the same tab are left alone
   * @param {{state: (state: object) => void, status: () => void, refused: (events: object[], why: string) => void}} on
   */
  constructor(base, owner, on) {
    this.url = `${base}/events`;
    this.owner = owner;
    this.on = on;
    // Encoded parts hold no blank, so that no owner's prefix can begin another's.
    const prefix = `rejudge outbox ${encodeURIComponent(base)} ${encodeURIComponent(owner)} `;
    this.earlier = leftBehind(prefix);
    this.list = new List(prefix, freshId());
    this.seq = 0;
    this.failing = false;
    /** Why the server does not know this page's annotator any more, in words; empty while it does. */
    this.signedOut = "";
    /** @type {string|null} the server's words about what it could not read */
    this.trouble = null;
    this.sending = null;
    this.timer = null;
  }

  /** Everything that the server has not acknowledged, oldest first. */
  get pending() {
    return [...this.earlier, this.list].flatMap((list) => list.events);
  }

  /** @returns {"saved"|"saving"|"unsaved"} */
  get status() {
    if (this.signedOut) return "unsaved";
    if (this.pending.length === 0) return "saved";
    return this.failing ? "unsaved" : "saving";
  }

  add(event) {
    this.list.events.push({ seq: ++this.seq, ...event });
    this.list.keep();
    this.on.status();
    this.send();
  }

  /** Send what is pending; with nothing pending this is the heartbeat, and the way to ask for the queue. */
  send() {
    if (this.sending) {
      this.again = true;
      return this.sending;
    }
    clearTimeout(this.timer);
    this.again = false;
    this.sending = this.post(this.earlier[0] ?? this.list).then((wait) => {
      this.sending = null;
      this.on.status();
      if (wait > 0) this.timer = setTimeout(() => this.send(), wait);
      else if (wait === 0 || this.again) this.send();
    });
    return this.sending;
  }

  /** @returns {Promise<number>} milliseconds until the next attempt; below 0 when nothing is left to send */
  async post(list) {
    const sent = list.next;
    const body = JSON.stringify({ outbox: list.id, owner: this.owner, events: sent });
    let response;
    let answer;
    try {
      response = await fetch(this.url, {
        method: "POST", body, headers: { "Content-Type": "application/json" },
        keepalive: body.length < KEEPALIVE_AT_MOST, signal: AbortSignal.timeout(PATIENCE),
      });
      answer = await response.json().catch(() => ({}));
    } catch {
      return this.failed(RETRY);
    }
    if (response.status === 401 || response.status === 403) {
      this.signedOut = (response.status === 403 && answer.error) || SIGNED_OUT;
      return this.failed(SIGNED_OUT_RETRY);
    }
    const { status } = response;
    if (!response.ok && status !== 409 && status !== 400) return this.failed(RETRY);
    this.failing = false;
    this.signedOut = "";
    this.trouble = null;
    const moved = status === 400 ? this.unread(list, sent, answer.error) : status === 409 ? this.refused(list, sent, answer) : list.drop((seq) => seq <= answer.ack);
    if (list.events.length === 0) this.earlier = this.earlier.filter((other) => other !== list);
    if (answer.state) this.on.state(answer.state);
    // An answer without a state leaves open what the queue is now.
    if (this.pending.length === 0) return moved && !answer.state ? 0 : -1;
    // A list that neither shrinks nor is refused must not be sent in a tight circle.
    return moved ? 0 : RETRY;
  }

  /** Nothing of this list was written: the refused events go, the rest is sent again. */
  refused(list, sent, { ack = 0, refused = [], error }) {
    const whys = new Map(refused.map(({ seq, why }) => [seq, why]));
    const events = list.events.filter(({ seq }) => whys.has(seq));
    const moved = list.drop((seq) => whys.has(seq) || seq <= ack);
    if (events.length) this.on.refused(events, [...new Set(events.map(({ seq }) => whys.get(seq)))].join(" "));
    // A refusal that names no event of this list says as little as one of the whole body.
    return moved || this.unread(list, sent, refused[0]?.why ?? error);
  }

  /** The whole body was refused. One event must not take others with it: each is sent alone once, and goes if it is refused alone. */
  unread(list, sent, error = "The server could not read it.") {
    if (sent.length === 0) return false;
    if (sent[0].seq > list.aloneTo) {
      list.aloneTo = sent.at(-1).seq;
      this.failing = true;
      this.trouble = error;
      return false;
    }
    const gone = sent[0];
    list.drop((seq) => seq === gone.seq);
    this.on.refused([gone], error);
    return true;
  }

  failed(wait) {
    this.failing = true;
    // With nothing to save there is nothing to retry; the next heartbeat will ask again.
    return this.pending.length ? wait : -1;
  }

  stop() {
    clearTimeout(this.timer);
  }
}
