// What content written with TinCanJS does: one statement, several, a bookmark, an agent profile; and it reads them back.
const tincan = new TinCan({ url: location.href });
const VERBS = 'http://adlnet.gov/expapi/verbs/';

// The library's call-backs are (error, value), but for sending, which reports per store.
const ask = (method, key, value) => new Promise((done, fail) => {
  const config = { contentType: 'application/json', callback: (error, answer) => error ? fail(error) : done(answer) };
  if (value === undefined) tincan[method](key, config);
  else tincan[method](key, value, config);
});
const sent = (method, what) => new Promise((done, fail) =>
  tincan[method](what, (results, statement) => results[0].err ? fail(results[0].err) : done(statement)));

async function talk() {
  const told = { registration: tincan.registration, activity: tincan.activity.id, stores: tincan.recordStores.length };
  const essay = Uint8Array.from([0, 13, 10, 45, 45, 255, 128, 13, 10]); // no text, and it looks like the end of a part
  const statement = await sent('sendStatement', {
    attachments: [
      { usageType: 'https://clients.example/notes', display: { en: 'Notes' }, contentType: 'text/plain', content: new TextEncoder().encode('notes').buffer },
      { usageType: 'https://clients.example/essay', display: { en: 'Essay' }, contentType: 'application/octet-stream', content: essay.buffer },
    ],
    verb: { id: VERBS + 'answered', display: { 'en-US': 'answered' } },
    object: { id: tincan.activity.id, definition: { name: { 'en-US': 'Ünïcode ✓ + blank' } } },
    result: { score: { scaled: 0.75 }, success: true, response: 'a+b c&d=e%20' },
  });
  told.statement = statement.id;
  await sent('sendStatements', [{ verb: { id: VERBS + 'experienced' } }, { verb: { id: VERBS + 'terminated' } }]);
  await ask('setState', 'bookmark', { page: 7, text: 'ünïcode +' });
  await ask('setState', 'bookmark', { page: 8, text: 'ünïcode +' });
  told.state = (await ask('getState', 'bookmark')).contents;
  await ask('setAgentProfile', 'settings', { large: true });
  told.profile = (await ask('getAgentProfile', 'settings')).contents;
  const back = await new Promise((done, fail) =>
    tincan.getStatement(statement.id, (error, found) => error ? fail(error) : done(found), { params: { attachments: true } }));
  told.essay = Array.from(new Uint8Array(back.attachments[1].content)).join(' ') + ' ' + back.attachments[0].getContentAsString();
  told.response = back.result.response;
  const list = await new Promise((done, fail) => tincan.getStatements({
    sendActor: true, params: { ascending: true }, callback: (error, found) => error ? fail(error) : done(found),
  }));
  told.verbs = list.statements.map((s) => s.verb.id.replace(VERBS, ''));
  const { endpoint, auth } = tincan.recordStores[0];
  const { name, account } = tincan.actor;
  told.steps = await whole(TinCan, { endpoint, auth, actor: { name, account: { homePage: account.homePage, name: account.name } }, activity: tincan.activity.id, registration: tincan.registration });
  return told;
}

talk().catch((e) => ({ failed: String(e?.message ?? e) })).then((told) => {
  document.getElementById('told').textContent = JSON.stringify(told);
});
