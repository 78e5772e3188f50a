// The quiz: draws the questions, takes the answers, gives feedback. It knows
// nothing of xAPI; the course hears about drafts and answers by call-back.

import { el, focusOn } from './dom.js';
import { QUESTIONS } from './questions.js';

const SEPARATOR = '[,]';

/**
 * Draws all questions into `box`. `answers` maps a question's id to {response,
 * checked, right}; `onDraft(question, response)` is called for each change
 * before the check, `onAnswer(question, response, right)` at the check.
 */
export function drawQuiz(box, answers, onDraft, onAnswer) {
  box.replaceChildren(...QUESTIONS.map((q, i) => {
    const form = el('form', { className: 'question', noValidate: true });
    const fill = () => {
      const answer = answers[q.id];
      form.replaceChildren(...(answer?.checked ? answered(q, i, answer) : open(q, i, answer?.response, onDraft)));
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const response = responseOf(form, q);
      if (!response) {
        form.querySelector('.hint').textContent = 'Choose an answer first.';
        form.querySelector('input').focus();
        return;
      }
      onAnswer(q, response, response === q.correct);
      fill();
      // The button that had focus is gone; the feedback is what comes next.
      const feedback = form.querySelector('.feedback');
      focusOn(feedback);
      feedback.scrollIntoView({ block: 'nearest' });
    });
    fill();
    return form;
  }));
}

function responseOf(form, q) {
  if (q.type === 'sequencing') {
    return [...form.querySelectorAll('li')].map((li) => li.dataset.id).join(SEPARATOR);
  }
  return form.querySelector('input:checked')?.value;
}

function heading(q, i) {
  return el('h2', {},
    el('span', { className: 'count' }, `Question ${i + 1} of ${QUESTIONS.length}`),
    el('span', { className: 'ask' }, q.ask));
}

function picture(q) {
  return q.picture ? [el('img', { ...q.picture, className: 'drawing' })] : [];
}

function open(q, i, draft, onDraft) {
  const body = q.type === 'sequencing' ? sorter(q, draft, onDraft) : choices(q, draft, onDraft);
  return [
    el('fieldset', {}, el('legend', {}, heading(q, i)), ...picture(q), ...body),
    el('p', { className: 'hint', role: 'alert' }),
    el('button', { className: 'button' }, 'Check ', el('span', { className: 'unseen' }, `question ${i + 1}`)),
  ];
}

function choices(q, draft, onDraft) {
  return q.choices.map((c) =>
    el('label', { className: 'choice' },
      el('input', {
        type: 'radio', name: q.id, value: c.id, checked: c.id === draft,
        onchange: (event) => {
          event.target.form.querySelector('.hint').textContent = '';
          onDraft(q, c.id);
        },
      }),
      el('span', {}, c.text)));
}

// Ordering by buttons: works with every pointer, keyboard and screen reader.
// The buttons are never disabled, as a disabled one would drop the focus.
function sorter(q, draft, onDraft) {
  const order = draft ? draft.split(SEPARATOR) : q.choices.map((c) => c.id);
  const say = el('p', { className: 'unseen', role: 'status' });
  const list = el('ol', { className: 'sorter' });

  function move(li, step, button) {
    const items = [...list.children];
    const to = items.indexOf(li) + step;
    const label = li.querySelector('.label').textContent;
    if (to < 0 || to >= items.length) {
      say.textContent = `${label} is already ${step < 0 ? 'first' : 'last'}.`;
      return;
    }
    if (step < 0) items[to].before(li);
    else items[to].after(li);
    button.focus();
    limits();
    say.textContent = `${label}: now number ${to + 1} of ${items.length}.`;
    onDraft(q, [...list.children].map((x) => x.dataset.id).join(SEPARATOR));
  }
  function limits() {
    [...list.children].forEach((li, at) => {
      li.querySelector('.up').setAttribute('aria-disabled', at === 0);
      li.querySelector('.down').setAttribute('aria-disabled', at === list.children.length - 1);
    });
  }
  for (const id of order) {
    const text = q.choices.find((c) => c.id === id).text;
    const li = el('li', {}, el('span', { className: 'label' }, text));
    li.dataset.id = id;
    for (const [name, step, sign] of [['up', -1, '↑'], ['down', 1, '↓']]) {
      const button = el('button', { type: 'button', className: `move ${name}`, 'aria-label': `Move ${name}: ${text}` }, sign);
      button.addEventListener('click', () => move(li, step, button));
      li.append(button);
    }
    list.append(li);
  }
  limits();
  return [list, say];
}

// A checked question: the same shape, no controls, what was right in words.
function answered(q, i, answer) {
  const given = answer.response.split(SEPARATOR);
  const right = q.correct.split(SEPARATOR);
  const word = (id) => q.choices.find((c) => c.id === id).text;
  const body = q.type === 'sequencing'
    ? [el('ol', { className: 'sorter' }, ...given.map((id, at) => {
        const ok = id === right[at];
        return el('li', { className: ok ? 'right' : 'wrong' },
          el('span', { className: 'label' }, word(id)),
          el('span', { className: 'note' }, ok ? 'in place' : `belongs at ${right.indexOf(id) + 1}`));
      }))]
    : [el('ul', { className: 'settled' }, ...q.choices.map((c) => {
        const notes = [];
        if (c.id === given[0]) notes.push('your answer');
        if (c.id === right[0]) notes.push('correct');
        const look = c.id === right[0] ? 'right' : c.id === given[0] ? 'wrong' : '';
        return el('li', { className: look }, el('span', { className: 'label' }, c.text),
          ...(notes.length ? [el('span', { className: 'note' }, notes.join(', '))] : []));
      }))];
  return [
    el('div', { role: 'group', 'aria-label': `Question ${i + 1}, answered` },
      heading(q, i), ...picture(q), ...body),
    el('div', { className: `feedback ${answer.right ? 'right' : 'wrong'}` },
      el('p', {}, el('strong', {}, answer.right ? 'Right. ' : 'Not quite. '), q.why)),
  ];
}
