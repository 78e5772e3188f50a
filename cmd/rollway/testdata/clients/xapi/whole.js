// What @xapi/xapi can ask of a record store, in a page and in Node: each step checks what came back. Resolves to the names of
// the steps. A learner's credential may not void.
async function whole(XAPI, { endpoint, auth, adapter, actor, activity, registration, voids }) {
  const xapi = new XAPI({ endpoint, auth, version: '1.0.3', ...(adapter && { adapter }) });
  const done = [];
  const check = (step, fine, got) => {
    if (!fine) throw new Error(step + ': ' + JSON.stringify(got));
    done.push(step);
  };
  const refused = (promise) => promise.then(() => false, () => true);
  const verb = { id: 'https://clients.example/verbs/walked' };
  const say = (more) => ({ id: crypto.randomUUID(), actor, verb, object: { id: activity, definition: { name: { 'en-US': 'Ünïcode ✓ + blank' } } }, context: { registration }, ...more });

  const about = (await xapi.getAbout()).data;
  check('about', about.version.includes('1.0.3') && about.version.includes('2.0.0'), about);

  const walked = [1, 2, 3, 4, 5, 6, 7].map((n) => say({ result: { response: 'step ' + n } }));
  const ids = (await xapi.sendStatements({ statements: walked })).data;
  check('batch', ids.join() === walked.map((s) => s.id).join(), ids);
  for (const ascending of [true, false]) {
    let page = (await xapi.getStatements({ agent: actor, verb: verb.id, activity, registration, limit: 3, ascending })).data;
    const found = page.statements.map((s) => s.id);
    for (let pages = 1; page.more; pages++) {
      if (pages > 5) throw new Error('more does not end');
      page = (await xapi.getMoreStatements({ more: page.more })).data;
      found.push(...page.statements.map((s) => s.id));
    }
    check('query and more, ascending ' + ascending, (ascending ? found : found.reverse()).join() === ids.join(), found);
  }
  const again = await xapi.sendStatement({ statement: walked[0] });
  check('the same again', again.data[0] === ids[0], again.data);
  check('another with the same id', await refused(xapi.sendStatement({ statement: { ...walked[0], verb: { id: verb.id + '/not' } } })), null);

  const text = 'plain, but ünïcode ✓';
  const bytes = new TextEncoder().encode(text);
  const sha2 = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const attachment = { usageType: 'https://clients.example/usage', display: { en: 'Text' }, contentType: 'text/plain; charset=utf-8', length: bytes.length, sha2 };
  const signed = say({ attachments: [attachment], verb: { id: verb.id + '/attached' } });
  await xapi.sendStatement({ statement: signed, attachments: [bytes.buffer] });
  const [told, data] = (await xapi.getStatement({ statementId: signed.id, attachments: true })).data;
  check('attachment', told.id === signed.id && told.attachments[0].sha2 === sha2 && data === text, [told, data]);
  const [list, same] = (await xapi.getStatements({ verb: signed.verb.id, registration, attachments: true })).data;
  check('attachment of a list', list.statements.length === 1 && same === text, [list, same]);

  const place = { agent: actor, activityId: activity, registration };
  await xapi.setState({ ...place, stateId: 'one', state: { a: 1 } });
  await xapi.createState({ ...place, stateId: 'one', state: { b: 'ü' } });
  const merged = (await xapi.getState({ ...place, stateId: 'one' })).data;
  check('merged state', merged.a === 1 && merged.b === 'ü', merged);
  await xapi.setState({ ...place, stateId: 'two', state: { c: 3 } });
  const states = (await xapi.getStates(place)).data;
  check('states', states.includes('one') && states.includes('two'), states);
  await xapi.deleteState({ ...place, stateId: 'two' });
  check('deleted state', await refused(xapi.getState({ ...place, stateId: 'two' })), null);
  await xapi.deleteStates(place);
  check('no states', (await xapi.getStates(place)).data.length === 0, null);

  for (const [name, where] of [['Agent', { agent: actor }], ['Activity', { activityId: activity }]]) {
    const profileId = 'whole ' + name;
    const profile = (n) => ({ ...where, profileId, profile: { n } });
    await xapi[`set${name}Profile`]({ ...profile(1), etag: '*', matchHeader: 'If-None-Match' });
    const one = await xapi[`get${name}Profile`]({ ...where, profileId });
    const etag = one.headers.etag ?? one.headers.get('etag');
    await xapi[`set${name}Profile`]({ ...profile(2), etag, matchHeader: 'If-Match' });
    check(name + ' profile with an old ETag', await refused(xapi[`set${name}Profile`]({ ...profile(3), etag, matchHeader: 'If-Match' })), null);
    check(name + ' profile', (await xapi[`get${name}Profile`]({ ...where, profileId })).data.n === 2, null);
    check(name + ' profiles', (await xapi[`get${name}Profiles`](where)).data.includes(profileId), null);
    const now = await xapi[`get${name}Profile`]({ ...where, profileId });
    await xapi[`delete${name}Profile`]({ ...where, profileId, etag: now.headers.etag ?? now.headers.get('etag') });
  }

  const known = (await xapi.getActivity({ activityId: activity })).data;
  check('activity', known.id === activity && known.definition.name['en-US'] === 'Ünïcode ✓ + blank', known);
  const person = (await xapi.getAgent({ agent: actor })).data;
  check('agent', person.objectType === 'Person' && person.account[0].homePage === actor.account.homePage && person.account[0].name === actor.account.name, person);
  if (voids) {
    await xapi.voidStatement({ actor, statementId: ids[0] });
    check('voided', await refused(xapi.getStatement({ statementId: ids[0] })), null);
    check('voided, asked for', (await xapi.getVoidedStatement({ voidedStatementId: ids[0] })).data.id === ids[0], null);
  }
  return done;
}

if (typeof module !== 'undefined') module.exports = whole;
