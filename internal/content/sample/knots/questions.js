// The five questions. `correct` and the learner's responses are written the way
// xAPI writes them: a choice id, true or false, or ids joined by [,].

export const PASS_MARK = 4;

export const QUESTIONS = [
  {
    id: 'standing-part',
    type: 'choice',
    name: 'Parts of a rope',
    ask: 'Which part of a rope carries the load and is not used for tying?',
    choices: [
      { id: 'bight', text: 'The bight' },
      { id: 'working-end', text: 'The working end' },
      { id: 'standing-part', text: 'The standing part' },
    ],
    correct: 'standing-part',
    why: 'The standing part carries the load. You tie with the working end, and a bight is rope folded back on itself.',
  },
  {
    id: 'stopper',
    type: 'choice',
    name: 'A stopper',
    ask: 'A rope keeps running out through a ring. Which knot do you tie in its end?',
    choices: [
      { id: 'figure-eight', text: 'A figure-eight' },
      { id: 'bowline', text: 'A bowline' },
      { id: 'clove-hitch', text: 'A clove hitch' },
    ],
    correct: 'figure-eight',
    why: 'The figure-eight is a stopper: too thick for the ring, and easy to undo afterwards.',
  },
  {
    id: 'bowline-order',
    type: 'sequencing',
    name: 'Tying a bowline',
    ask: 'Put the steps of the bowline in order.',
    choices: [
      { id: 'behind', text: 'Pass the end behind the standing part' },
      { id: 'small-loop', text: 'Make a small loop in the standing part' },
      { id: 'down', text: 'Go back down through the small loop' },
      { id: 'up', text: 'Bring the end up through the small loop' },
    ],
    correct: 'small-loop[,]up[,]behind[,]down',
    why: 'First the small loop, then up through it, behind the standing part, and down the way you came.',
  },
  {
    id: 'which-knot',
    type: 'choice',
    name: 'Recognize a knot',
    ask: 'Which knot is this?',
    picture: {
      src: 'img/clove-3.svg',
      alt: 'A rope lies round a pole in two turns. One strand crosses on top of the other two; the ends leave up and down.',
      width: 340,
      height: 280,
    },
    choices: [
      { id: 'bowline', text: 'A bowline' },
      { id: 'clove-hitch', text: 'A clove hitch' },
      { id: 'figure-eight', text: 'A figure-eight' },
    ],
    correct: 'clove-hitch',
    why: 'Two turns with one strand crossing on top, the ends leaving in opposite directions: a clove hitch.',
  },
  {
    id: 'changing-pull',
    type: 'true-false',
    name: 'Trust in a clove hitch',
    ask: 'A clove hitch holds just as safely when the direction of the pull keeps changing.',
    choices: [
      { id: 'true', text: 'True' },
      { id: 'false', text: 'False' },
    ],
    correct: 'false',
    why: 'It works itself loose when the pull moves or the pole turns. Two half hitches with the end make it safe.',
  },
];
