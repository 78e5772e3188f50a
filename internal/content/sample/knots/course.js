// The course itself: which page is shown, what the learner did, what is told
// to the record store and what the learner is told about it.

import { $, el, focusOn } from './dom.js';
import { Recorder, readLaunch } from './lrs.js';
import { PASS_MARK, QUESTIONS } from './questions.js';
import { drawQuiz } from './quiz.js';
import { ACTIVITY_ID, statementsOf } from './statements.js';

const FORMAT = 1; // of the bookmark; a bookmark of another format is left alone
const PAGES = [...document.querySelectorAll('main > section[data-step]')].map((s) => ({
  id: s.id,
  title: s.dataset.step,
}));
const LESSONS = PAGES.filter((p) => p.id !== 'quiz');
const RESULT = { id: 'result', title: 'Your result' };

// Stands in for the recorder when nobody is to be told.
const nowhere = { add() {}, keep() {}, leave() {}, unsent: false, durable: true };

let recorder = nowhere;
let say = statementsOf({ activityId: ACTIVITY_ID });
let notes = fresh();
let shown = null;

/** What the bookmark holds. `spent` is the time with the course in view, in ms. */
function fresh() {
  return { format: FORMAT, page: PAGES[0].id, seen: [], answers: {}, reached: 0, spent: 0, completed: false, passed: false };
}

// Time counts only while the course is in view. --------------------------------

const clock = {
  session: 0,
  since: performance.now(),
  question: 0, // value of `session` when the current question was begun
  tick() {
    const now = performance.now();
    if (this.since !== null) {
      this.session += now - this.since;
      notes.spent = Math.round(notes.spent + now - this.since);
    }
    this.since = document.hidden ? null : now;
    return this.session;
  },
};

function save() {
  clock.tick();
  // A copy: the recorder keeps it until it is acknowledged, and notes go on.
  recorder.keep(structuredClone({ ...notes, savedAt: new Date().toISOString() }));
}

// Pages. -----------------------------------------------------------------------

const checked = () => QUESTIONS.filter((q) => notes.answers[q.id]?.checked);
const finished = () => checked().length === QUESTIONS.length;
const score = () => checked().filter((q) => notes.answers[q.id].right).length;

function pageFromAddress() {
  const id = location.hash.slice(1);
  if (id === RESULT.id) return finished() ? RESULT : PAGES.at(-1);
  return PAGES.find((p) => p.id === id);
}

function show(page, moveFocus = true) {
  const first = shown === null;
  shown = page;
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== page.id;
  document.title = `${page.title} – Knots in ten minutes`;
  if (page.id === 'quiz') clock.question = clock.tick();
  if (page === RESULT) drawResult();
  drawSteps(page);
  if (moveFocus) {
    scrollTo(0, 0);
    focusOn($(page.id).querySelector('h1'));
  }
  const unseen = LESSONS.includes(page) && !notes.seen.includes(page.id);
  if (unseen) {
    notes.seen.push(page.id);
    recorder.add(say.experienced(page));
    progress();
  }
  drawProgress();
  const moved = notes.page !== page.id;
  if (moved && !first) $('banner').hidden = true;
  notes.page = page.id;
  if (moved || unseen || first) save();
}

// The page stands in the address, so that links, Back and Forward just work.
function go(id) {
  if (location.hash === `#${id}`) show(pageFromAddress());
  else location.hash = id;
}

addEventListener('hashchange', () => {
  const page = pageFromAddress();
  if (shown && page && page !== shown) show(page);
});

// Progress. --------------------------------------------------------------------

function percent() {
  return Math.round((100 * (notes.seen.length + checked().length)) / (LESSONS.length + QUESTIONS.length));
}

// Reported only when it grows: after "Start over" the store keeps the best.
function progress() {
  const now = percent();
  if (now <= notes.reached) return;
  notes.reached = now;
  recorder.add(say.progressed(now));
}

function drawProgress() {
  $('progress').value = percent();
  $('progress').textContent = `${percent()} %`;
}

function drawSteps(page) {
  const at = page === RESULT ? PAGES.length - 1 : PAGES.indexOf(page);
  $('steps').replaceChildren(...PAGES.map((p, i) => {
    const link = el('a', { href: `#${p.id}` },
      el('span', { className: 'number', 'aria-hidden': 'true' }, i + 1),
      el('span', { className: 'name' }, p.title));
    if (i === at) link.setAttribute('aria-current', 'step');
    if (notes.seen.includes(p.id) || (p.id === 'quiz' && finished())) {
      link.classList.add('seen');
      link.append(el('span', { className: 'unseen' }, ' (done)'));
    }
    return el('li', {}, link);
  }));
  drawPager(page);
}

function drawPager(page) {
  const sequence = finished() ? [...PAGES, RESULT] : PAGES;
  const at = sequence.indexOf(page);
  for (const [link, target] of [[$('back'), sequence[at - 1]], [$('next'), sequence[at + 1]]]) {
    link.hidden = !target;
    if (!target) continue;
    link.href = `#${target.id}`;
    link.querySelector('.to').textContent = target.title;
  }
}

// The quiz. --------------------------------------------------------------------

function drawQuestions() {
  drawQuiz($('questions'), notes.answers, (question, response) => {
    notes.answers[question.id] = { response, checked: false };
    save();
  }, (question, response, right) => {
    notes.answers[question.id] = { response, checked: true, right };
    const spent = clock.tick() - clock.question;
    clock.question = clock.session;
    recorder.add(say.answered(question, response, right, spent));
    progress();
    if (finished()) judge();
    drawTally();
    drawSteps(shown);
    drawProgress();
    save();
  });
  drawTally();
}

function drawTally() {
  $('tally').textContent = finished()
    ? 'All five answered. Your result is on the next page.'
    : `${checked().length} of ${QUESTIONS.length} answered`;
}

// Completion is told at the last answer, not on the result page: a learner may
// leave in between. An earlier pass is never taken back by a later try.
function judge() {
  const passed = score() >= PASS_MARK;
  if (!notes.completed) recorder.add(say.completed(notes.spent));
  if (passed || !notes.passed) recorder.add(say.judged(passed, score(), QUESTIONS.length, notes.spent));
  notes.completed = true;
  notes.passed ||= passed;
}

function drawResult() {
  const n = score();
  const passed = n >= PASS_MARK;
  $('ring').setAttribute('stroke-dasharray', `${(100 * n) / QUESTIONS.length} 100`);
  $('ring-text').textContent = `${n}/${QUESTIONS.length}`;
  $('verdict').textContent = passed ? 'You passed' : 'Not passed this time';
  $('verdict-text').textContent = passed
    ? `${n} of ${QUESTIONS.length} answers were right. Now tie each knot ten times without looking.`
    : `${n} of ${QUESTIONS.length} answers were right; ${PASS_MARK} are needed.` +
      (notes.passed ? ' Your earlier pass stands.' : ' Look at the answers and try again, as often as you like.');
  $('marks').replaceChildren(...QUESTIONS.map((q) => {
    const { right } = notes.answers[q.id];
    return el('li', { className: right ? 'right' : 'wrong' },
      el('span', { className: 'label' }, q.name),
      el('span', { className: 'note' }, right ? 'right' : 'not right'));
  }));
}

$('again').addEventListener('click', () => {
  notes.answers = {};
  drawQuestions();
  go('quiz');
  save();
});

// What the learner is told about saving. ---------------------------------------

const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
let slow = 0;

function tell({ state, at }) {
  clearTimeout(slow);
  // A quick save should not flicker, nor be read out twice.
  if (state === 'saving') {
    slow = setTimeout(() => drawSaved('saving', 'Saving…'), 700);
    return;
  }
  if (state === 'saved') drawSaved(state, `Saved ${time.format(at)}`, 'Everything is saved. You can close this page.');
  if (state === 'retrying') drawSaved(state, 'Not saved – retrying', 'Not everything is saved yet. Please keep this page open until it is.');
  if (state === 'denied') drawSaved(state, 'Not saved – open the course again', 'This link has ended, so the last of it is not saved yet. Open the course again from where you found it.');
}

function drawSaved(state, word, leaving) {
  $('saved').dataset.state = state;
  if ($('saved').textContent !== word) $('saved').textContent = word;
  if (leaving) $('leaving').textContent = leaving;
}

function preview() {
  recorder = nowhere;
  drawSaved('preview', 'Preview: nothing is recorded', 'This was a preview: nothing was recorded. You can close this page.');
}

// Coming back, starting over. --------------------------------------------------

function banner(text, ...buttons) {
  $('banner-text').textContent = text;
  $('banner-buttons').replaceChildren(...buttons.map(([label, act]) => {
    const button = el('button', { type: 'button', className: 'button quiet' }, label);
    button.addEventListener('click', act);
    return button;
  }));
  $('banner').hidden = false;
}

function closeBanner() {
  $('banner').hidden = true;
  focusOn($(shown.id).querySelector('h1'));
}

// Completion, pass and time belong to the registration and outlive a new start.
function startOver() {
  const before = notes;
  const { reached, spent, completed, passed } = notes;
  use({ ...fresh(), reached, spent, completed, passed });
  banner('You are back at the beginning.', ['Undo', () => {
    use({ ...before, spent: notes.spent });
    closeBanner();
  }], ['Close', closeBanner]);
}

function use(next) {
  notes = next;
  drawQuestions();
  go(notes.page);
  save();
}

// Start and end. ---------------------------------------------------------------

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// The place has to be known before anything is written: beginning anew because
// of a short outage would overwrite it.
async function findBookmark() {
  for (const pause of [500, 1500, 3000, null]) {
    try {
      return await recorder.findBookmark();
    } catch (e) {
      if (e.denied || pause === null) throw e;
      await wait(pause);
    }
  }
}

function trouble(title, text, buttons) {
  $('trouble-title').textContent = title;
  $('trouble-text').textContent = text;
  $('trouble-buttons').replaceChildren(...buttons.map(([label, act], i) => {
    const button = el('button', { type: 'button', className: i ? 'button quiet' : 'button' }, label);
    button.addEventListener('click', () => {
      $('trouble').hidden = true;
      act();
    });
    return button;
  }));
  $('waiting').hidden = true;
  $('trouble').hidden = false;
  focusOn($('trouble-title'));
}

const LOOK = ['Look around without recording', () => { preview(); begin(null); }];

function start() {
  const launch = readLaunch(location.search, ACTIVITY_ID);
  if (launch.kind === 'preview') {
    preview();
    begin(null);
    return;
  }
  if (launch.kind === 'broken') {
    trouble('This link is incomplete', `The course cannot be recorded with it: ${launch.why}. Open the course again from where you found it.`, [LOOK]);
    return;
  }
  recorder = new Recorder(launch, tell);
  say = statementsOf(launch);
  resume(launch.actor.name);
}

async function resume(name) {
  $('waiting').hidden = false; // again, after "Try again"
  let bookmark;
  try {
    bookmark = await findBookmark();
  } catch (e) {
    if (e.status === undefined) throw e;
    if (e.denied) {
      trouble('This link has ended', 'It can no longer be used to record what you learn. Open the course again from where you found it.', [LOOK]);
    } else {
      trouble('Your place cannot be found just now', 'The record of your learning does not answer. Nothing is lost: try again in a moment.', [['Try again', () => resume(name)], LOOK]);
    }
    return;
  }
  begin(bookmark, name);
}

function begin(bookmark, name) {
  $('waiting').hidden = true;
  $('frame').hidden = $('pager').hidden = false;
  document.body.classList.toggle('recorded', recorder !== nowhere);
  if (name) $('hello').textContent = `Hello, ${name}.`;
  if (bookmark?.format === FORMAT) notes = bookmark;
  const returning = notes.seen.length > 0;
  clock.since = document.hidden ? null : performance.now();
  recorder.add(say.initialized());
  drawQuestions();
  if (returning) {
    banner('Welcome back. You are where you stopped.', ['Start over', startOver], ['Close', closeBanner]);
  }
  const page = returning ? [...PAGES, RESULT].find((p) => p.id === notes.page) ?? PAGES[0] : pageFromAddress() ?? PAGES[0];
  history.replaceState(null, '', `#${page.id}`); // not location: the browser would scroll there
  show(pageFromAddress(), false);
}

document.addEventListener('visibilitychange', () => {
  if (shown === null) return;
  if (document.hidden) save(); // a phone may end the page without another word
  else clock.tick();
});

let left = false;
addEventListener('pagehide', () => {
  if (shown === null) return;
  left = true;
  recorder.add(say.terminated(clock.tick()));
  save();
  recorder.leave();
});
addEventListener('pageshow', (event) => {
  if (!event.persisted || !left) return;
  left = false;
  clock.session = 0; // back from the browser's cache: a new session
  clock.question = 0;
  clock.since = performance.now();
  recorder.add(say.initialized());
});

// Only when nothing but this page's memory holds what is unsent.
addEventListener('beforeunload', (event) => {
  if (recorder.unsent && !recorder.durable) event.preventDefault();
});

start();
