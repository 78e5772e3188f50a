// The line to the record store: reads the launch query, fetches and keeps the
// bookmark, and sends statements. It speaks xAPI 1.0.3 with fetch alone.
//
// The promise it keeps: what the learner did is written down here first (in
// memory, and in localStorage when the browser allows it) and crossed out only
// when the store has acknowledged it. Resending is safe because a statement
// keeps its id.

const VERSION = '1.0.3';
const BOOKMARK = 'bookmark';
const BATCH = 25;
const KEEPALIVE_BYTES = 50_000; // browsers allow 64 KiB for all requests that outlive the page
const TIMEOUT = 20_000;
const LONGEST_PAUSE = 60_000;

/**
 * Reads the Rustici launch query. Returns {kind: 'preview'} when there is none,
 * {kind: 'broken', why} when it cannot be used, else {kind: 'launch', endpoint,
 * auth, actor, activityId, registration}; registration may be undefined.
 */
export function readLaunch(search, defaultActivityId) {
  const query = new URLSearchParams(search);
  if (!query.has('endpoint')) return { kind: 'preview' };
  const auth = query.get('auth');
  if (!auth) return { kind: 'broken', why: 'it carries no authorization' };
  let actor, endpoint;
  try {
    actor = JSON.parse(query.get('actor'));
    endpoint = new URL(query.get('endpoint')).href;
  } catch {
    return { kind: 'broken', why: 'part of it cannot be read' };
  }
  if (typeof actor !== 'object' || actor === null || Array.isArray(actor)) {
    return { kind: 'broken', why: 'it does not say who is learning' };
  }
  return {
    kind: 'launch',
    endpoint: endpoint.endsWith('/') ? endpoint : endpoint + '/',
    auth,
    actor,
    // The store may launch the package under another id or registration than
    // the package declares; content has to honour what it is given.
    activityId: query.get('activity_id') || defaultActivityId,
    registration: query.get('registration') || undefined,
  };
}

/** A random UUID. randomUUID exists only on https and localhost. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** An answer of the store other than success; status 0 means that none came. */
export class StoreError extends Error {
  constructor(status) {
    super(status ? `the record store answered ${status}` : 'the record store did not answer');
    this.status = status;
  }
  /** True when this launch may not (or no longer) read or write. */
  get denied() {
    return this.status === 401 || this.status === 403;
  }
}

// What is still to be sent. Every statement has a key of its own, so two tabs
// of the same registration never overwrite each other's.
class Outbox {
  #prefix;
  #statements = new Map(); // key → statement, oldest first
  #bookmark = null;
  #count = 0;
  durable = false;

  constructor(prefix) {
    this.#prefix = prefix;
    try {
      const keys = Object.keys(localStorage).filter((k) => k.startsWith(prefix + 's/')).sort();
      for (const k of keys) this.#statements.set(k, JSON.parse(localStorage.getItem(k)));
      this.#bookmark = JSON.parse(localStorage.getItem(prefix + BOOKMARK));
      this.durable = true;
    } catch (e) {
      // Storage is forbidden (a sandboxed frame, a strict browser) or damaged.
      console.info('Unsent records are kept in memory only:', e.message);
    }
  }

  #write(key, value) {
    if (!this.durable) return;
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch (e) {
      this.durable = false; // full: from here on memory has to do
      console.info('Unsent records are kept in memory only:', e.message);
    }
  }

  #erase(key) {
    if (this.durable) localStorage.removeItem(key);
  }

  add(statement) {
    const order = `${String(Date.now()).padStart(15, '0')}-${String(this.#count++).padStart(6, '0')}`;
    const key = `${this.#prefix}s/${order}-${statement.id}`;
    this.#statements.set(key, statement);
    this.#write(key, statement);
  }

  set bookmark(doc) {
    this.#bookmark = doc;
    this.#write(this.#prefix + BOOKMARK, doc);
  }
  get bookmark() {
    return this.#bookmark;
  }

  next(n) {
    return [...this.#statements].slice(0, n);
  }

  done(entries) {
    for (const [key] of entries) {
      this.#statements.delete(key);
      this.#erase(key);
    }
  }

  // Only the version that was sent is crossed out: a newer one may have come.
  doneBookmark(doc) {
    if (this.#bookmark !== doc) return;
    this.#bookmark = null;
    this.#erase(this.#prefix + BOOKMARK);
  }

  get empty() {
    return this.#statements.size === 0 && this.#bookmark === null;
  }
}

/**
 * Keeps the record of one launch. `tell({state, at})` is called with state
 * 'saving', 'saved', 'retrying' or 'denied' whenever it changes.
 */
export class Recorder {
  #launch;
  #tell;
  #outbox;
  #sending = false;
  #failures = 0;
  #batch = BATCH;
  #timer = 0;

  constructor(launch, tell) {
    this.#launch = launch;
    this.#tell = tell;
    const whose = launch.registration || JSON.stringify(launch.actor);
    this.#outbox = new Outbox(`rollway-course/${launch.activityId}/${whose}/`);
    addEventListener('online', () => this.#soon(0));
  }

  get unsent() {
    return !this.#outbox.empty;
  }
  get durable() {
    return this.#outbox.durable;
  }

  /** The bookmark, newest of the store's and our own unsent one, or null. Throws StoreError. */
  async findBookmark() {
    const answer = await this.#request('GET', this.#bookmarkURL());
    if (!answer.ok && answer.status !== 404) throw new StoreError(answer.status);
    // A document that is not ours to read is no bookmark; the next save replaces it.
    const stored = answer.ok ? await answer.json().catch(() => null) : null;
    const own = this.#outbox.bookmark;
    if (!this.#outbox.empty) this.#soon(0);
    if (!own || !stored) return own || stored;
    return own.savedAt > stored.savedAt ? own : stored;
  }

  /** Adds a statement; it leaves the page within a moment. */
  add(statement) {
    this.#outbox.add(statement);
    this.#soon(0);
  }

  /** Replaces the bookmark. The document must not be changed afterwards. */
  keep(doc) {
    this.#outbox.bookmark = doc;
    this.#soon(0);
  }

  /**
   * Sends everything in requests that outlive the page. What the store does not
   * acknowledge in time stays in the outbox and is sent, under the same ids, at
   * the next launch.
   */
  leave() {
    clearTimeout(this.#timer);
    const batch = this.#outbox.next(BATCH);
    while (JSON.stringify(batch).length > KEEPALIVE_BYTES) batch.pop();
    const doc = this.#outbox.bookmark;
    const unheard = () => {}; // still in the outbox: nothing is lost with this answer
    if (batch.length) this.#post(batch, true).then((a) => a.ok && this.#outbox.done(batch), unheard);
    if (doc) this.#put(doc, true).then((a) => a.ok && this.#outbox.doneBookmark(doc), unheard);
  }

  #soon(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), delay);
  }

  async #send() {
    if (this.#sending || this.#outbox.empty) return;
    this.#sending = true;
    if (!this.#failures) this.#tell({ state: 'saving' });
    try {
      while (!this.#outbox.empty) await this.#sendOnce();
      this.#failures = 0;
      this.#tell({ state: 'saved', at: new Date() });
    } catch (e) {
      if (!(e instanceof StoreError)) throw e;
      this.#failures++;
      this.#tell({ state: e.denied ? 'denied' : 'retrying' });
      // Some randomness, so that a whole class does not come back in step.
      const pause = Math.min(1000 * 2 ** (this.#failures - 1), LONGEST_PAUSE);
      this.#soon(pause * (0.75 + Math.random() / 2));
    } finally {
      this.#sending = false;
    }
  }

  // Statements go before the bookmark: a bookmark that says "answered" must not
  // be ahead of the record of the answer.
  async #sendOnce() {
    const batch = this.#outbox.next(this.#batch);
    if (!batch.length) {
      const doc = this.#outbox.bookmark;
      const answer = await this.#put(doc);
      if (!answer.ok) throw new StoreError(answer.status);
      this.#outbox.doneBookmark(doc);
      return;
    }
    const answer = await this.#post(batch);
    if (answer.ok) {
      this.#batch = BATCH;
      this.#outbox.done(batch);
      return;
    }
    // A refused batch is taken apart, so that one bad statement does not hold
    // back the rest; 409 on a single one means that the store has it already.
    const refused = answer.status === 400 || answer.status === 409 || answer.status === 413;
    if (!refused) throw new StoreError(answer.status);
    if (batch.length > 1) {
      this.#batch = 1;
      return;
    }
    if (answer.status !== 409) console.error('Refused by the record store:', batch[0][1], await answer.text().catch(() => ''));
    this.#outbox.done(batch);
  }

  #post(batch, keepalive = false) {
    return this.#request('POST', 'statements', batch.map(([, s]) => s), keepalive);
  }

  #put(doc, keepalive = false) {
    return this.#request('PUT', this.#bookmarkURL(), doc, keepalive);
  }

  #bookmarkURL() {
    const { activityId, actor, registration } = this.#launch;
    const query = { activityId, agent: JSON.stringify(actor), stateId: BOOKMARK };
    if (registration) query.registration = registration;
    // Not URLSearchParams: it writes a blank as "+", which strict stores keep as a plus.
    const pairs = Object.entries(query).map(([k, v]) => `${k}=${encodeURIComponent(v)}`);
    return `activities/state?${pairs.join('&')}`;
  }

  async #request(method, path, body, keepalive = false) {
    const headers = { Authorization: this.#launch.auth, 'X-Experience-API-Version': VERSION };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      return await fetch(this.#launch.endpoint + path, {
        method,
        headers,
        keepalive,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      throw new StoreError(0);
    }
  }
}
