// What the course says about the learner: one function per kind of statement.

import { uuid } from './lrs.js';

export const LANGUAGE = 'en-US';
export const ACTIVITY_ID = 'https://rollway.example/courses/knots';

const TYPES = 'http://adlnet.gov/expapi/activities/';
const PROGRESS = 'https://w3id.org/xapi/cmi5/result/extensions/progress';
const VERBS = {
  initialized: 'http://adlnet.gov/expapi/verbs/initialized',
  experienced: 'http://adlnet.gov/expapi/verbs/experienced',
  progressed: 'http://adlnet.gov/expapi/verbs/progressed',
  answered: 'http://adlnet.gov/expapi/verbs/answered',
  completed: 'http://adlnet.gov/expapi/verbs/completed',
  passed: 'http://adlnet.gov/expapi/verbs/passed',
  failed: 'http://adlnet.gov/expapi/verbs/failed',
  terminated: 'http://adlnet.gov/expapi/verbs/terminated',
};

const text = (s) => ({ [LANGUAGE]: s });

/** Milliseconds as an ISO 8601 duration with the hundredths xAPI asks for. */
export function duration(ms) {
  const hundredths = Math.max(0, Math.round(ms / 10));
  const minutes = Math.floor(hundredths / 6000);
  const seconds = (hundredths % 6000) / 100;
  return `PT${minutes ? `${minutes}M` : ''}${seconds}S`;
}

/** The statements of one launch ({actor, activityId, registration}). */
export function statementsOf({ actor, activityId, registration }) {
  const base = activityId.replace(/\/$/, '');
  const activity = (id, definition) => ({ objectType: 'Activity', id, definition });
  const course = activity(activityId, {
    type: `${TYPES}course`,
    name: text('Knots in ten minutes'),
    description: text('Three knots that cover most of what a rope is asked to do.'),
  });
  const quiz = activity(`${base}/quiz`, { type: `${TYPES}assessment`, name: text('Five questions about knots') });
  const page = (p) => activity(`${base}/pages/${p.id}`, { type: `${TYPES}lesson`, name: text(p.title) });

  const question = (q) => activity(`${base}/questions/${q.id}`, {
    type: `${TYPES}cmi.interaction`,
    name: text(q.name),
    description: text(q.ask),
    interactionType: q.type,
    correctResponsesPattern: [q.correct],
    // true-false knows only its two answers, so it may not list choices.
    ...(q.type !== 'true-false' && {
      choices: q.choices.map((c) => ({ id: c.id, description: text(c.text) })),
    }),
  });

  function say(verb, object, result, parent) {
    const context = { language: LANGUAGE };
    if (registration) context.registration = registration;
    if (parent) {
      context.contextActivities = {
        parent: [{ objectType: 'Activity', id: parent.id }],
        grouping: [{ objectType: 'Activity', id: activityId }],
      };
    }
    return {
      id: uuid(),
      actor,
      verb: { id: VERBS[verb], display: text(verb) },
      object,
      ...(result && { result }),
      context,
      timestamp: new Date().toISOString(),
    };
  }

  return {
    initialized: () => say('initialized', course),
    experienced: (p) => say('experienced', page(p), undefined, course),
    progressed: (percent) => say('progressed', course, { extensions: { [PROGRESS]: percent } }),
    answered: (q, response, success, ms) =>
      say('answered', question(q), {
        response,
        success,
        score: { scaled: success ? 1 : 0, raw: success ? 1 : 0, min: 0, max: 1 },
        duration: duration(ms),
      }, quiz),
    completed: (ms) => say('completed', course, { completion: true, duration: duration(ms) }),
    judged: (success, raw, max, ms) =>
      say(success ? 'passed' : 'failed', course, {
        success,
        completion: true,
        score: { scaled: Math.round((raw / max) * 10000) / 10000, raw, min: 0, max },
        duration: duration(ms),
      }),
    terminated: (ms) => say('terminated', course, { duration: duration(ms) }),
  };
}
