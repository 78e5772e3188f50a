// What TinCanJS can ask of a record store, in a page and in Node: each step checks what came back. Resolves to the names of
// the steps. A learner's credential may not void.
async function whole(TinCan, { endpoint, auth, actor, activity, registration, voids }) {
  const lrs = new TinCan.LRS({ endpoint, auth, version: '1.0.2', allowFail: false });
  const done = [];
  const check = (step, fine, got) => {
    if (!fine) throw new Error(step + ': ' + JSON.stringify(got));
    done.push(step);
  };
  const ask = (method, ...args) => new Promise((fine, fail) => {
    const config = args.pop();
    lrs[method](...args, { ...config, callback: (error, answer) => error !== null ? fail(new Error(method + ': ' + error + ' ' + answer?.responseText)) : fine(answer) });
  });
  const refused = (promise) => promise.then(() => false, () => true);
  const verb = 'https://clients.example/verbs/walked';
  const say = (more) => new TinCan.Statement({ actor, verb: { id: verb }, target: { id: activity, definition: { name: { 'en-US': 'Ünïcode ✓ + blank' } } }, context: { registration }, ...more });
  const agent = new TinCan.Agent(actor), place = { agent, activity: new TinCan.Activity({ id: activity }), registration };

  const about = await ask('about', {});
  check('about', about.version.includes('1.0.3') && about.version.includes('2.0.0'), about.version);

  const walked = [1, 2, 3, 4, 5, 6, 7].map((n) => say({ result: { response: 'step ' + n } }));
  await ask('saveStatements', walked, {});
  for (const ascending of [true, false]) {
    let page = await ask('queryStatements', { params: { agent, verb: new TinCan.Verb({ id: verb }), activity: place.activity, registration, limit: 3, ascending } });
    const found = page.statements.map((s) => s.id);
    for (let pages = 1; page.more; pages++) {
      if (pages > 5) throw new Error('more does not end');
      page = await ask('moreStatements', { url: page.more });
      found.push(...page.statements.map((s) => s.id));
    }
    check('query and more, ascending ' + ascending, (ascending ? found : found.reverse()).join() === walked.map((s) => s.id).join(), found);
  }
  await ask('saveStatement', walked[0], {});
  check('another with the same id', await refused(ask('saveStatement', say({ id: walked[0].id, verb: { id: verb + '/not' } }), {})), null);

  const text = 'several lines\r\n--and hyphens\r\n\r\nand ünïcode ✓';
  const bytes = new TextEncoder().encode(text);
  // One only: with several, this library leaves out the line ends between them.
  const attached = say({ verb: { id: verb + '/attached' }, attachments: [{ usageType: 'https://clients.example/usage', display: { en: 'Text' }, contentType: 'text/plain', content: bytes.buffer }] });
  await ask('saveStatement', attached, {});
  const content = (s) => s.attachments[0].getContentAsString();
  const back = await ask('retrieveStatement', attached.id, { params: { attachments: true } });
  check('attachment', back.id === attached.id && content(back) === text && back.attachments[0].length === bytes.length, content(back));
  const list = await ask('queryStatements', { params: { verb: new TinCan.Verb({ id: verb + '/attached' }), registration, attachments: true } });
  check('attachment of a list', list.statements.length === 1 && content(list.statements[0]) === text, list.statements.length);

  await ask('saveState', 'one', { a: 1 }, { ...place, contentType: 'application/json' });
  const one = await ask('retrieveState', 'one', place);
  check('state', one.contents.a === 1, one.contents);
  await ask('saveState', 'one', { a: 2 }, { ...place, contentType: 'application/json', lastSHA1: one.etag.replace(/"/g, '') });
  check('state with an old ETag', await refused(ask('saveState', 'one', { a: 3 }, { ...place, contentType: 'application/json', lastSHA1: one.etag.replace(/"/g, '') })), null);
  await ask('saveState', 'one', { b: 'ü' }, { ...place, contentType: 'application/json', method: 'POST' });
  const merged = (await ask('retrieveState', 'one', place)).contents;
  check('merged state', merged.a === 2 && merged.b === 'ü', merged);
  check('states', (await ask('retrieveStateIds', place)).includes('one'), null);
  await ask('dropState', 'one', place);
  check('no state', (await ask('retrieveState', 'one', place)) === null, null);

  for (const [name, where] of [['Agent', { agent }], ['Activity', { activity: place.activity }]]) {
    const key = 'whole ' + name;
    await ask(`save${name}Profile`, key, { n: 1 }, { ...where, contentType: 'application/json' });
    const first = await ask(`retrieve${name}Profile`, key, where);
    await ask(`save${name}Profile`, key, { n: 2 }, { ...where, contentType: 'application/json', lastSHA1: first.etag.replace(/"/g, '') });
    check(name + ' profile', (await ask(`retrieve${name}Profile`, key, where)).contents.n === 2, null);
    check(name + ' profiles', (await ask(`retrieve${name}ProfileIds`, where)).includes(key), null);
    await ask(`drop${name}Profile`, key, where);
    check('no ' + name + ' profile', (await ask(`retrieve${name}Profile`, key, where)) === null, null);
  }

  const known = await ask('retrieveActivity', activity, {});
  check('activity', known.id === activity && known.definition.name['en-US'] === 'Ünïcode ✓ + blank', known);
  if (voids) {
    await ask('saveStatement', new TinCan.Statement({ actor, verb: { id: 'http://adlnet.gov/expapi/verbs/voided' }, target: { objectType: 'StatementRef', id: walked[0].id } }), {});
    check('voided', await refused(ask('retrieveStatement', walked[0].id, {})), null);
    check('voided, asked for', (await ask('retrieveVoidedStatement', walked[0].id, {})).id === walked[0].id, null);
  }
  return done;
}

if (typeof module !== 'undefined') module.exports = whole;
